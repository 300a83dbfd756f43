// Which files and units decide who can log in to a host, or become root there.
const files = [
  /^\/etc\/(ssh|pam\.d|security|sudoers\.d|nftables\.d|firewalld|NetworkManager|netplan|network)(\/|$)/,
  /^\/etc\/(pam\.conf|sudoers|doas\.conf|passwd|shadow|group|gshadow|nsswitch\.conf|login\.defs|hosts\.(allow|deny)|nftables\.conf|shells)$/,
  /\/\.ssh(\/|$)/,
  /^\/etc\/systemd\/(system|network)\/(ssh|sshd|systemd-networkd|systemd-logind)/,
];
const units = /^(ssh|sshd|ssh@|sshd@|firewalld|nftables|networking|NetworkManager|systemd-networkd|systemd-logind)\b/;

/** Whether a wrong content of this file, or state of this unit, could shut the administrator out. */
export function opensDoors(name: string): boolean {
  return name.startsWith('/') ? files.some((pattern) => pattern.test(name)) : units.test(name);
}
