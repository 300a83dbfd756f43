# A host that Ansible can manage too, for comparisons with it: Python, and what its apt and archive modules import or call.
packages="python3 python3-apt python3-debian unzip zip bzip2 xz-utils cron rsyslog acl"
finish() { :; }
