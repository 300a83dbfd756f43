// Memory, processors, mounts and disks, by the names that Ansible gives them.
import type {HostFacts} from '../kit/host.ts';
import type {FactSource} from './fact-source.ts';

/** Hardware facts. *units*: `_mb` MiB, sizes of mounts bytes. */
export function hardwareFacts(source: FactSource): HostFacts {
  const [one = 0, five = 0, fifteen = 0] = source.file('/proc/loadavg').split(' ').map(Number);
  return {
    ...memoryFacts(source.file('/proc/meminfo')),
    ...processorFacts(source.file('/proc/cpuinfo')),
    ...boardFacts(source),
    loadavg: {'1m': one, '5m': five, '15m': fifteen},
    mounts: mountFacts(source),
    devices: deviceFacts(source),
    local: localFacts(source),
  };
}

function memoryFacts(text: string): HostFacts {
  const mb = (name: string): number =>
    Math.trunc(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024);
  const [total, free, cached, buffers] = [mb('MemTotal'), mb('MemFree'), mb('Cached'), mb('Buffers')];
  const [swapTotal, swapFree] = [mb('SwapTotal'), mb('SwapFree')];
  return {
    memtotal_mb: total,
    memfree_mb: free,
    swaptotal_mb: swapTotal,
    swapfree_mb: swapFree,
    memory_mb: {
      real: {total, used: total - free, free},
      nocache: {free: free + cached + buffers, used: total - free - cached - buffers},
      swap: {cached: mb('SwapCached'), total: swapTotal, free: swapFree, used: swapTotal - swapFree},
    },
  };
}

function processorFacts(text: string): HostFacts {
  const list: string[] = [];
  const sockets = new Map<string, {cores: number; siblings: number}>();
  let count = 0;
  for (const block of text.split(/\n\s*\n/)) {
    const field = (name: string): string | undefined => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(block)?.[1]?.trim();
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] =
        /^(processor|vendor_id|Vendor|cpu|model name|Processor)\s*: (.*)$/.exec(line) ?? [];
      if (name !== '') list.push(value.trim());
    }
    if (field('processor') === undefined) continue;
    count++;
    const socket = field('physical id');
    if (socket !== undefined)
      sockets.set(socket, {cores: Number(field('cpu cores') ?? 1), siblings: Number(field('siblings') ?? 1)});
  }
  const [first] = sockets.values();
  const cores = first?.cores ?? 1;
  const threads = first === undefined ? 1 : Math.max(1, Math.trunc(first.siblings / cores));
  const packages = sockets.size === 0 ? count : sockets.size;
  return {
    processor: list,
    processor_count: packages,
    processor_cores: cores,
    processor_threads_per_core: threads,
    processor_vcpus: packages * cores * threads,
    processor_nproc: count,
  };
}

function boardFacts(source: FactSource): HostFacts {
  const names: Readonly<Record<string, string>> = {
    product_name: 'product_name',
    product_version: 'product_version',
    product_serial: 'product_serial',
    product_uuid: 'product_uuid',
    system_vendor: 'sys_vendor',
    bios_vendor: 'bios_vendor',
    bios_version: 'bios_version',
    bios_date: 'bios_date',
    board_name: 'board_name',
    board_vendor: 'board_vendor',
    chassis_vendor: 'chassis_vendor',
  };
  return Object.fromEntries(
    Object.entries(names).map(([fact, file]) => [fact, source.word(`/sys/class/dmi/id/${file}`) || 'NA']),
  );
}

/** File systems on devices and on the network, as /proc/mounts lists them; sizes only of local ones (a dead server would not answer). */
function mountFacts(source: FactSource): readonly HostFacts[] {
  const space = source.section('space').map((line) => line.split(' ').map(Number));
  let at = 0;
  const mounts: HostFacts[] = [];
  for (const line of source.file('/proc/mounts').split('\n')) {
    const [device, mount = '', fstype, options] = line.split(' ').map(unescapeMount);
    if (device === undefined || !(device.startsWith('/') || device.includes(':/'))) continue;
    const sizes = device.startsWith('/') ? space[at++] : undefined;
    const [blockSize = 0, blocks = 0, available = 0, inodes = 0, inodesFree = 0] = sizes ?? [];
    mounts.push({
      device,
      mount,
      fstype,
      options,
      ...(sizes === undefined
        ? {}
        : {
            block_size: blockSize,
            block_total: blocks,
            block_available: available,
            block_used: blocks - available,
            size_total: blocks * blockSize,
            size_available: available * blockSize,
            inode_total: inodes,
            inode_available: inodesFree,
            inode_used: inodes - inodesFree,
          }),
      uuid: 'N/A',
    });
  }
  return mounts;
}

/** *source*: proc(5): white space in names is `\040` and so on. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** Disks by name. *units*: `sectors` of 512 bytes; `size` in words. */
function deviceFacts(source: FactSource): HostFacts {
  const devices: Record<string, HostFacts> = {};
  for (const [[, name = ''], text] of source.files(/^\/sys\/block\/([^/]+)\/size$/)) {
    const word = (file: string): string | null => source.word(`/sys/block/${name}/${file}`) || null;
    const sectors = text.trim();
    devices[name] = {
      model: word('device/model'),
      vendor: word('device/vendor'),
      removable: word('removable') ?? '0',
      rotational: word('queue/rotational') ?? '0',
      sectors,
      sectorsize: '512',
      size: inWords(Number(sectors) * 512),
    };
  }
  return devices;
}

/** `20.00 GB`, with 1024 to the next unit. */
function inWords(bytes: number): string {
  const units = ['Bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)} ${units[power]!}`;
}

/** `/etc/ansible/facts.d/NAME.fact` with JSON in it. Programs there are not run: reading facts must not change a host. */
function localFacts(source: FactSource): HostFacts {
  const facts: Record<string, unknown> = {};
  for (const [[, name = ''], text] of source.files(/^\/etc\/ansible\/facts\.d\/([^/]+)\.fact$/)) {
    try {
      facts[name] = JSON.parse(text) as unknown;
    } catch {
      // a program, or another format: neither is a fact of ours
    }
  }
  return facts;
}
