import test from 'ava';
import {distributionFacts, parseOsRelease} from '../../../src/formats/os-release.ts';

// Facts as Ansible 2.14 gives them: family, distribution, version, major version, release.
const table: readonly [text: string, debianVersion: string, facts: readonly string[]][] = [
  [
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n',
    '12.5\n',
    ['Debian', 'Debian', '12.5', '12', 'bookworm'],
  ],
  [
    'NAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\nID=debian\n',
    'trixie/sid\n',
    ['Debian', 'Debian', 'NA', 'NA', 'trixie'],
  ],
  [
    'NAME="Ubuntu"\nVERSION="22.04.3 LTS (Jammy Jellyfish)"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\nUBUNTU_CODENAME=jammy\n',
    'bookworm/sid',
    ['Debian', 'Ubuntu', '22.04', '22', 'jammy'],
  ],
  [
    'NAME="openSUSE Leap"\nVERSION="15.5"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.5"\n',
    '',
    ['Suse', 'openSUSE Leap', '15.5', '15', '5'],
  ],
  [
    'NAME="openSUSE Tumbleweed"\nID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20240101"\n',
    '',
    ['Suse', 'openSUSE Tumbleweed', '20240101', '20240101', 'NA'],
  ],
  [
    'NAME="SLES"\nVERSION="15-SP5"\nVERSION_ID="15.5"\nID="sles"\nID_LIKE="suse"\n',
    '',
    ['Suse', 'SLES', '15.5', '15', '5'],
  ],
  ['NAME="SLES"\nVERSION="15"\nVERSION_ID="15"\nID="sles"\nID_LIKE="suse"\n', '', ['Suse', 'SLES', '15', '15', '0']],
  [
    'NAME="Red Hat Enterprise Linux"\nVERSION="9.3 (Plow)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.3"\n',
    '',
    ['RedHat', 'RedHat', '9.3', '9', 'Plow'],
  ],
  [
    'NAME="Rocky Linux"\nVERSION="9.3 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n',
    '',
    ['RedHat', 'Rocky', '9.3', '9', 'Blue Onyx'],
  ],
  [
    'NAME="CentOS Stream"\nVERSION="9"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="9"\n',
    '',
    ['RedHat', 'CentOS', '9', '9', 'Stream'],
  ],
  ['NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.19.1\n', '', ['Alpine', 'Alpine', '3.19.1', '3', 'NA']],
  ['NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n', '', ['Archlinux', 'Archlinux', 'NA', 'NA', 'NA']],
  [
    "NAME='Some Derivative'\nID=some\nID_LIKE='x ubuntu debian'\nVERSION_ID='1'\n",
    '',
    ['Debian', 'Some Derivative', '1', '1', 'NA'],
  ],
  ['', '', ['linux', 'linux', 'NA', 'NA', 'NA']],
];

for (const [text, debianVersion, facts] of table) {
  test(`facts of ${facts[1]!} ${facts[2]!}`, (t) => {
    t.deepEqual(Object.values(distributionFacts(parseOsRelease(text), debianVersion)), facts);
  });
}

test('fields of os-release', (t) => {
  t.like(parseOsRelease('ID="opensuse-leap"\nID_LIKE="suse opensuse"\nPRETTY_NAME="openSUSE Leap 15.5"\n'), {
    id: 'opensuse-leap',
    idLike: ['suse', 'opensuse'],
    prettyName: 'openSUSE Leap 15.5',
    versionId: '',
  });
});
