// Modules that Ansible has and we do not. A task that names one is understood as far as that: validation says so, and where the task's condition keeps
// it from being reached, the rest of the playbook is as good as without it. Any other unknown name is a slip of the pen.
import {withoutCollection} from './names.ts';

/** Short names that playbooks use. *source*: the module index of ansible-core 2.14 and of the collections that roles for servers draw on. */
const names: ReadonlySet<string> = new Set(
  `apt_key apt_repository assemble async_status deb822_repository debconf dpkg_selections expect find getent git iptables mount_facts
  package_facts pip rpm_key service_facts set_stats subversion sysvinit tempfile uri validate_argument_spec yum_repository
  acl at firewalld firewalld_info patch rhel_facts rpm_ostree_upgrade seboolean selinux synchronize
  alternatives apk archive bundler capabilities composer cronvar dconf filesystem flatpak gem git_config haproxy htpasswd homebrew
  interfaces_file iso_create java_cert java_keystore keyring launchd ldap_attrs ldap_entry locale_gen lvg lvol mail make monit nagios
  nmcli npm open_iscsi openssh_cert openssh_keypair openssl_certificate openssl_csr openssl_dhparam openssl_pkcs12 openssl_privatekey
  osx_defaults pacman pam_limits pamd parted pipx pkgng portage read_csv redis runit sefcontext selinux_permissive selogin seport slack snap
  ssh_config sudoers supervisorctl svc swapfile sysrc ufw xattr xbps xfs_quota xml yarn zfs zpool zypper_repository
  docker_compose docker_container docker_image docker_login docker_network docker_volume podman_container
  mongodb_user mysql_db mysql_info mysql_query mysql_replication mysql_user mysql_variables postgresql_db postgresql_ext postgresql_info
  postgresql_ping postgresql_pg_hba postgresql_privs postgresql_query postgresql_set postgresql_user proxysql_backend_servers
  rabbitmq_plugin rabbitmq_user rabbitmq_vhost ec2 ec2_instance ec2_group s3_bucket route53 x509_certificate_info get_certificate
  win_chocolatey win_command win_copy win_feature win_file win_get_url win_lineinfile win_package win_powershell win_reboot win_regedit
  win_service win_shell win_stat win_template win_user`.split(/\s+/),
);

/**
 * Whether a task's key names a module of a collection, one that Ansible has under its short name, or at least one that looks like none of ours: a
 * role may bring modules of its own, in Python.
 */
export function isElsewhere(name: string, catalog: {nearest(name: string): string | undefined}): boolean {
  const short = withoutCollection(name);
  if (names.has(short) || /^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/.test(short)) return true;
  return /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/.test(short) && catalog.nearest(short) === undefined;
}
