import type {Module} from '../kit/module.ts';
import type {Site} from '../playbook/site.ts';

/** A module of the site by its name; undefined where there is none, or it is an action of the engine. */
export function moduleOf(site: Site, name: string): Module | undefined {
  const found = site.catalog.find(name);
  return found?.ok === true && found.value.found === 'module' ? found.value.module : undefined;
}
