/* os-release(5) and what Ansible's facts make of it, so that conditions on `os_family` or `distribution` carry over. */
import {envValue, parseEnvFile} from './env-file.ts';

/** The fields of /etc/os-release; absent ones are empty. */
export type OsRelease = {
  readonly id: string;
  readonly idLike: readonly string[];
  readonly name: string;
  readonly prettyName: string;
  readonly version: string;
  readonly versionId: string;
  readonly versionCodename: string;
  readonly ubuntuCodename: string;
};

/** Reads /etc/os-release. */
export function parseOsRelease(text: string): OsRelease {
  const file = parseEnvFile(text);
  const field = (key: string): string => envValue(file, key) ?? '';
  return {
    id: field('ID').toLowerCase() || 'linux',
    idLike: field('ID_LIKE')
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== ''),
    name: field('NAME'),
    prettyName: field('PRETTY_NAME'),
    version: field('VERSION'),
    versionId: field('VERSION_ID'),
    versionCodename: field('VERSION_CODENAME'),
    ubuntuCodename: field('UBUNTU_CODENAME'),
  };
}

/** Ansible's facts of the same names; `NA` stands for what a system does not tell. */
export type DistributionFacts = {
  readonly os_family: string;
  readonly distribution: string;
  readonly distribution_version: string;
  readonly distribution_major_version: string;
  readonly distribution_release: string;
};

const names: Readonly<Record<string, readonly [family: string, distribution?: string]>> = {
  debian: ['Debian', 'Debian'],
  raspbian: ['Debian', 'Debian'],
  ubuntu: ['Debian', 'Ubuntu'],
  kali: ['Debian', 'Kali'],
  devuan: ['Debian', 'Devuan'],
  'opensuse-leap': ['Suse'],
  'opensuse-tumbleweed': ['Suse'],
  opensuse: ['Suse'],
  sles: ['Suse'],
  sled: ['Suse'],
  sles_sap: ['Suse', 'SLES_SAP'],
  rhel: ['RedHat', 'RedHat'],
  centos: ['RedHat', 'CentOS'],
  fedora: ['RedHat', 'Fedora'],
  rocky: ['RedHat', 'Rocky'],
  almalinux: ['RedHat', 'AlmaLinux'],
  ol: ['RedHat', 'OracleLinux'],
  amzn: ['RedHat', 'Amazon'],
  alpine: ['Alpine', 'Alpine'],
  arch: ['Archlinux', 'Archlinux'],
  manjaro: ['Archlinux', 'Manjaro'],
};

/**
 * The distribution facts. `debianVersion` is the text of /etc/debian_version, which alone knows Debian's point release (`12.5`).
 * A distribution that is not known by name gets the family of its nearest known relative (ID_LIKE).
 */
export function distributionFacts(os: OsRelease, debianVersion = ''): DistributionFacts {
  const relative = os.idLike.find((id) => id in families);
  const family = names[os.id]?.[0] ?? (relative === undefined ? undefined : families[relative]);
  const distribution = names[os.id]?.[1] ?? (os.name || os.id);
  const pointRelease = debianVersion.trim();
  const version =
    os.id === 'debian' && /^\d/.test(pointRelease) && pointRelease.startsWith(os.versionId)
      ? pointRelease
      : os.versionId;
  return {
    os_family: family ?? distribution,
    distribution,
    distribution_version: version || 'NA',
    distribution_major_version: version.split('.')[0] || 'NA',
    distribution_release: releaseOf(os, family) || 'NA',
  };
}

const families: Readonly<Record<string, string>> = {
  debian: 'Debian',
  ubuntu: 'Debian',
  suse: 'Suse',
  opensuse: 'Suse',
  rhel: 'RedHat',
  centos: 'RedHat',
  fedora: 'RedHat',
  arch: 'Archlinux',
  alpine: 'Alpine',
};

function releaseOf(os: OsRelease, family: string | undefined): string {
  // SUSE has no names: Ansible gives the part behind the dot, for SLES 0 where there is none.
  if (family === 'Suse') return os.versionId.split('.')[1] ?? (os.id.startsWith('sle') ? '0' : '');
  if (/CentOS Stream/.test(os.name)) return 'Stream';
  const inParentheses = /\(([^)]+)\)/.exec(os.version)?.[1] ?? '';
  return os.versionCodename || os.ubuntuCodename || inParentheses;
}
