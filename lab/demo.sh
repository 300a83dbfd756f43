#!/bin/bash
# demo.sh (npm run demo): everything tsplay is for, on real hosts, from bare machines to proofs. May be repeated: every time it
# puts the lab's four hosts back to bare first, because that is where the story begins.
set -euo pipefail
umask 022; PATH=$PATH:/usr/sbin:/sbin
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
hosts="kvm1 kvm2 client1 crypt1"
site=playbooks/site.yml

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' off=$'\e[0m'; else bold='' off=''; fi
title() { printf '\n%s%s%s\n\n' "$bold" "== $*" "$off"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# What has to be there before anything is changed.
may_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2> /dev/null || { [ -t 0 ] && command -v sudo > /dev/null && sudo -v; }; }
may_be_root || die "needs root or sudo: the lab's hosts are namespaces of this machine"
command -v apt-get > /dev/null || die "needs Debian or Ubuntu: the lab's hosts are made from Debian packages"
command -v node > /dev/null && command -v npm > /dev/null || die "needs Node 20 or newer, with npm"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || die "needs Node 20 or newer; this is $(node --version)"

# The same stamp as npm test: a changed lock file installs anew.
lock=$(sha256sum < package-lock.json | cut -d' ' -f1)
if [ "$(cat node_modules/.tsplay-lock 2> /dev/null || true)" != "$lock" ]; then
  title "Dependencies"
  npm ci --no-audit --no-fund --loglevel=error || die "npm ci failed"
  printf '%s' "$lock" > node_modules/.tsplay-lock
fi
if [ ! -e dist/.built ] || [ -n "$(find src modules package-lock.json -newer dist/.built -print -quit)" ]; then
  npm run --silent build || die "the build failed"
fi
tsplay() { node bin/tsplay.js "$@"; }

title "The lab: four bare hosts on this machine (the first time builds their images, which takes minutes)"
if bash lab/lab.sh is-up; then
  echo "The lab was up: its hosts are put back to bare."
  bash lab/lab.sh reset $hosts
else
  bash lab/lab.sh up
fi

title "tsplay run $site"
tsplay run "$site" --diff || die "the run did not reach what the site declares (exit status $?)"

title "The same again: nothing changes, and each host costs one exchange"
tsplay run "$site" || die "the second run failed (exit status $?)"
title "tsplay check $site: as declared, exit status 0"
tsplay check "$site" || die "check found differences (exit status $?)"

title "The proof: doing what is allowed, and trying what is not"
node_modules/.bin/node lab/proof/main.ts || die "not every claim holds"

cat << END

${bold}What to try next${off}

  npx tsplay check $site                       compare, change nothing
  npm run -s lab -- exec kvm1 sed -i s/256/257/ /etc/sasl2/qemu.conf
  npx tsplay check $site                       names that line, and exits with 8
  npx tsplay run $site                         repairs it
  npx tsplay run playbooks/luks-guest.yml -v               one system alone, every task shown
  npx tsplay doc spice_graphics                            the manual of a module
  npm run lab -- ssh kvm1                                  look around on a host

  npm run lab -- down                                      take the lab away again

README.md and docs/getting-started.md go on from here.
END
