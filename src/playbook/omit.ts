import {isMapping} from '../base/json.ts';
import {Thing} from '../template/values.ts';

/** What is left of `omit` in data that has left the template engine. */
class Omitted {
  readonly omitted = true;
}

const mark = new Omitted();

class Omit extends Thing {
  readonly kind = 'omit';

  attribute(): unknown {
    return undefined;
  }

  attributeNames(): Iterable<string> {
    return [];
  }

  text(): string {
    return '__omit__';
  }

  override plain(): unknown {
    return mark;
  }
}

/** The magic variable `omit`: a parameter with this value is as if it had not been written. */
export const omit = new Omit();

/** The data without what was omitted: keys and elements go, the value as a whole becomes undefined. */
export function withoutOmitted(value: unknown): unknown {
  if (value instanceof Omitted) return undefined;
  if (Array.isArray(value)) {
    return value.some(concerned) ? value.filter((element) => !(element instanceof Omitted)).map(withoutOmitted) : value;
  }
  if (!isMapping(value) || !Object.values(value).some(concerned)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, element]) => !(element instanceof Omitted))
      .map(([key, element]) => [key, withoutOmitted(element)]),
  );
}

function concerned(value: unknown): boolean {
  if (value instanceof Omitted) return true;
  if (Array.isArray(value)) return value.some(concerned);
  return isMapping(value) && Object.values(value).some(concerned);
}
