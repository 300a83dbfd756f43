/*
 * What libvirt documents for qemu.conf, and the type that it reads: with another type the daemon does not start.
 * *source*: the commented qemu.conf of libvirt 9.0 (Debian 12) and settings that later releases added.
 */

export type QemuKeyType = 'integer' | 'string' | 'list' | 'any';

const integers = `
default_tls_x509_verify vnc_auto_unix_socket vnc_tls vnc_tls_x509_verify vnc_sasl vnc_allow_host_audio
spice_tls spice_auto_unix_socket spice_sasl chardev_tls chardev_tls_x509_verify vxhs_tls nbd_tls migrate_tls_x509_verify migrate_tls_force
backup_tls_x509_verify nographics_allow_host_audio remote_display_port_min remote_display_port_max remote_websocket_port_min
remote_websocket_port_max security_default_confined security_require_confined dynamic_ownership remember_owner
auto_dump_bypass_cache auto_start_bypass_cache set_process_name max_processes max_files max_threads_per_process dump_guest_core mac_filter
relaxed_acs_check max_queued keepalive_interval keepalive_count seccomp_sandbox migration_port_min migration_port_max log_timestamp
gluster_debug_level virtiofsd_debug allow_disk_format_probing clear_emulator_capabilities storage_use_nbdkit`;
const strings = `
default_tls_x509_cert_dir default_tls_x509_secret_uuid default_tls_priority vnc_listen vnc_tls_x509_cert_dir vnc_tls_x509_secret_uuid
vnc_password vnc_sasl_dir spice_listen spice_tls_x509_cert_dir spice_password spice_sasl_dir chardev_tls_x509_cert_dir
chardev_tls_x509_secret_uuid vxhs_tls_x509_cert_dir vxhs_tls_x509_secret_uuid nbd_tls_x509_cert_dir nbd_tls_x509_secret_uuid
migrate_tls_x509_cert_dir migrate_tls_x509_secret_uuid backup_tls_x509_cert_dir backup_tls_x509_secret_uuid user group
save_image_format dump_image_format snapshot_image_format auto_dump_path bridge_helper lock_manager
migration_address migration_host stdio_handler memory_backing_dir pr_helper slirp_helper dbus_daemon swtpm_user swtpm_group
deprecation_behavior sched_core`;
const lists = `cgroup_controllers cgroup_device_acl nvram namespaces capability_filters shared_filesystems`;
const anything = `security_driver hugetlbfs_mount max_core vnc_tls_priority chardev_tls_priority migrate_tls_priority backup_tls_priority
nbd_tls_priority auto_shutdown_try_save auto_shutdown_try_shutdown auto_shutdown_poweroff auto_shutdown_wait auto_shutdown_restore
auto_save_bypass_cache rdp_listen rdp_tls_x509_cert_dir rdp_username rdp_password`;

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** Every documented key with its type. */
export const qemuKeys: ReadonlyMap<string, QemuKeyType> = new Map([
  ...words(integers).map((key) => [key, 'integer'] as const),
  ...words(strings).map((key) => [key, 'string'] as const),
  ...words(lists).map((key) => [key, 'list'] as const),
  ...words(anything).map((key) => [key, 'any'] as const),
]);

/** Whether the value of a key is a password. */
export function isQemuPassword(key: string): boolean {
  return key.endsWith('_password');
}
