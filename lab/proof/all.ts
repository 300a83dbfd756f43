import {luksProofs} from './luks.ts';
import type {Proof} from './proof.ts';
import {spiceProofs} from './spice.ts';
import {tunnelProofs} from './tunnel.ts';

/** Every claim that playbooks/site.yml makes about the lab, in the order of the playbooks. */
export function allProofs(): readonly Proof[] {
  return [...spiceProofs('kvm1'), ...spiceProofs('kvm2'), ...tunnelProofs(), ...luksProofs()];
}
