import type {HostFacts} from './host.ts';

/**
 * Where the distributions differ in what the modules manage. One row a family; modules ask for a column and never test for a distribution.
 * *source*: Debian 12 measured; openSUSE Leap from its packages and documentation; RHEL family from its packages.
 */
export type Platform = {
  readonly family: 'Debian' | 'Suse' | 'RedHat' | 'other';
  /** account that libvirt starts QEMU under, and the group that guards its secrets */
  readonly qemuUser: string;
  readonly qemuGroup: string;
  /** group that may reach saslauthd's socket; undefined = everybody may */
  readonly saslGroup: string | undefined;
  readonly saslauthdConfig: string;
  /** variable that must say yes for the service to start at all */
  readonly saslauthdStart: string | undefined;
  readonly saslauthdMechanism: string;
  readonly saslauthdOptions: string;
  readonly saslauthdSocket: string;
  readonly saslauthdPackage: string;
  readonly sasldbTools: string;
  /** how a PAM stack takes in the distribution's common file for a type */
  readonly pamInclude: 'include' | '@include' | 'substack';
  readonly sshdUnit: string;
  readonly libvirtUnit: string;
  /** brings libvirt's QEMU driver with its qemu.conf */
  readonly libvirtPackage: string;
  /** packages with libsasl's plugins: for a mechanism (upper case), for the sasldb store (`sasldb`), and where none is named (`default`) */
  readonly saslPlugins: Readonly<Record<string, string>>;
  readonly nologinShell: string;
  readonly packageManager: 'apt' | 'zypper' | 'dnf' | 'apk' | 'none';
};

const debian: Platform = {
  family: 'Debian',
  qemuUser: 'libvirt-qemu',
  qemuGroup: 'libvirt-qemu',
  saslGroup: 'sasl',
  saslauthdConfig: '/etc/default/saslauthd',
  saslauthdStart: 'START',
  saslauthdMechanism: 'MECHANISMS',
  saslauthdOptions: 'OPTIONS',
  saslauthdSocket: '/run/saslauthd/mux',
  saslauthdPackage: 'sasl2-bin',
  sasldbTools: 'sasl2-bin',
  pamInclude: '@include',
  sshdUnit: 'ssh.service',
  libvirtUnit: 'libvirtd.service',
  libvirtPackage: 'libvirt-daemon-system',
  saslPlugins: {
    default: 'libsasl2-modules',
    sasldb: 'libsasl2-modules-db',
    GSSAPI: 'libsasl2-modules-gssapi-mit',
    'GSS-SPNEGO': 'libsasl2-modules-gssapi-mit',
    OTP: 'libsasl2-modules-otp',
    EXTERNAL: 'libsasl2-2',
  },
  nologinShell: '/usr/sbin/nologin',
  packageManager: 'apt',
};
const suse: Platform = {
  family: 'Suse',
  qemuUser: 'qemu',
  qemuGroup: 'qemu',
  saslGroup: undefined,
  saslauthdConfig: '/etc/sysconfig/saslauthd',
  saslauthdStart: undefined,
  saslauthdMechanism: 'SASLAUTHD_AUTHMECH',
  saslauthdOptions: 'SASLAUTHD_PARAMS',
  saslauthdSocket: '/run/sasl2/mux',
  saslauthdPackage: 'cyrus-sasl-saslauthd',
  sasldbTools: 'cyrus-sasl',
  pamInclude: 'include',
  sshdUnit: 'sshd.service',
  libvirtUnit: 'libvirtd.service',
  libvirtPackage: 'libvirt-daemon-qemu',
  saslPlugins: {
    default: 'cyrus-sasl',
    sasldb: 'cyrus-sasl',
    PLAIN: 'cyrus-sasl-plain',
    LOGIN: 'cyrus-sasl-plain',
    'SCRAM-SHA-1': 'cyrus-sasl-scram',
    'SCRAM-SHA-256': 'cyrus-sasl-scram',
    'SCRAM-SHA-512': 'cyrus-sasl-scram',
    'DIGEST-MD5': 'cyrus-sasl-digestmd5',
    'CRAM-MD5': 'cyrus-sasl-crammd5',
    GSSAPI: 'cyrus-sasl-gssapi',
    'GSS-SPNEGO': 'cyrus-sasl-gssapi',
    OTP: 'cyrus-sasl-otp',
    EXTERNAL: 'cyrus-sasl',
  },
  nologinShell: '/sbin/nologin',
  packageManager: 'zypper',
};
const redhat: Platform = {
  ...suse,
  family: 'RedHat',
  saslauthdMechanism: 'MECH',
  saslauthdOptions: 'FLAGS',
  saslauthdSocket: '/run/saslauthd/mux',
  saslauthdPackage: 'cyrus-sasl',
  libvirtPackage: 'libvirt-daemon-driver-qemu',
  saslPlugins: {
    default: 'cyrus-sasl-lib',
    sasldb: 'cyrus-sasl-lib',
    PLAIN: 'cyrus-sasl-plain',
    LOGIN: 'cyrus-sasl-plain',
    'SCRAM-SHA-1': 'cyrus-sasl-scram',
    'SCRAM-SHA-256': 'cyrus-sasl-scram',
    'SCRAM-SHA-512': 'cyrus-sasl-scram',
    'DIGEST-MD5': 'cyrus-sasl-md5',
    'CRAM-MD5': 'cyrus-sasl-md5',
    GSSAPI: 'cyrus-sasl-gssapi',
    'GSS-SPNEGO': 'cyrus-sasl-gssapi',
  },
  pamInclude: 'substack',
  packageManager: 'dnf',
};

/** The row for a host, by its fact `os_family`; hosts of other families get Debian's paths with family `other`. */
export function platformOf(facts: HostFacts): Platform {
  switch (facts['os_family']) {
    case 'Debian':
      return debian;
    case 'Suse':
      return suse;
    case 'RedHat':
      return redhat;
    default:
      return {...debian, family: 'other', packageManager: facts['os_family'] === 'Alpine' ? 'apk' : 'none'};
  }
}

/** All rows, for probes that must read whatever the host turns out to be. */
export const platforms: readonly Platform[] = [debian, suse, redhat];
