# The reads that work.yml needs on a host that has not drifted, as one script a person would write: the floor for one exchange.
cd /srv/bench || exit 1
stat -c '%n %F %a %u %g' a b c d e a/settings.conf b/settings.conf c/settings.conf d/settings.conf e/settings.conf a/lines b/lines run start
sha256sum a/settings.conf b/settings.conf c/settings.conf d/settings.conf e/settings.conf run
cat a/lines b/lines
getent group bench; getent passwd bench
uname -r; cat /proc/uptime
systemctl show -p ActiveState,UnitFileState cron
readlink start
