// The facts that hosts tell, by name. A host may tell others (interfaces by their names, facts of its own), so a name that is not here is no mistake
// by itself; one that is nearly a name of this list is.
import {nearestName} from '../base/nearest.ts';

/** Names without `ansible_`. *source*: Ansible's setup module. */
export const factNames: ReadonlySet<string> = new Set(
  `all_ipv4_addresses all_ipv6_addresses apparmor architecture bios_date bios_vendor bios_version board_asset_tag board_name board_serial board_vendor
  board_version chassis_asset_tag chassis_serial chassis_vendor chassis_version cmdline date_time default_ipv4 default_ipv6 device_links devices
  distribution distribution_file_parsed distribution_file_path distribution_file_search_string distribution_file_variety distribution_major_version
  distribution_minor_version distribution_release distribution_version dns domain effective_group_id effective_user_id env fibre_channel_wwn fips
  form_factor fqdn gather_subset hostname hostnqn interfaces is_chroot iscsi_iqn kernel kernel_version lo loadavg local locally_reachable_ips lsb lvm machine
  machine_id memfree_mb memory_mb memtotal_mb module_setup mounts nodename os_family pkg_mgr proc_cmdline processor processor_cores processor_count
  processor_nproc processor_threads_per_core processor_vcpus product_name product_serial product_uuid product_version python python_version
  real_group_id real_user_id selinux selinux_python_present service_mgr ssh_host_key_dsa_public ssh_host_key_ecdsa_public
  ssh_host_key_ecdsa_public_keytype ssh_host_key_ed25519_public ssh_host_key_ed25519_public_keytype ssh_host_key_rsa_public
  ssh_host_key_rsa_public_keytype swapfree_mb swaptotal_mb system system_capabilities system_capabilities_enforced system_vendor uptime_seconds
  user_dir user_gecos user_gid user_id user_shell user_uid userspace_architecture userspace_bits virtualization_role
  virtualization_tech_guest virtualization_tech_host virtualization_type packages services`.split(/\s+/),
);

/** The fact that a misspelt name (without `ansible_`) means; undefined where it is one, or is like none. */
export function misspeltFact(name: string): string | undefined {
  // eth0 and eth1, enp1s0: interfaces differ by their digits
  if (factNames.has(name) || name.length < 5 || /\d/.test(name)) return undefined;
  return nearestName(name, factNames);
}
