// Reading YAML inside templates, with the types that Ansible's `from_yaml` gives (YAML 1.1; dates stay text).
import {defineScalarTag, load, loadAll, NOT_RESOLVED, Schema, YAML11_SCHEMA} from 'js-yaml';
import {Misuse} from './fault.ts';
import {floatText} from './number.ts';
import {Float, float} from './values.ts';

const floats = YAML11_SCHEMA.tags.find((tag) => tag.tagName === 'tag:yaml.org,2002:float');

/** Floats keep their type when they are whole: `1.0` is no integer. */
const pythonFloats = defineScalarTag('tag:yaml.org,2002:float', {
  implicit: true,
  resolve: (source, explicit, tagName) => {
    if (floats?.nodeKind !== 'scalar') return NOT_RESOLVED;
    // PyYAML wants a sign in exponents.
    if (!explicit && /e\d/i.test(source)) return NOT_RESOLVED;
    const value: unknown = floats.resolve(source, explicit, tagName);
    return typeof value === 'number' ? float(value) : NOT_RESOLVED;
  },
  identify: (data) => data instanceof Float,
  represent: (data) => (data instanceof Float ? floatText(data.value) : String(data)),
});

const schema = new Schema([
  ...YAML11_SCHEMA.tags.filter((tag) => !/(?:float|timestamp|binary|omap|pairs|set)$/.test(tag.tagName)),
  pythonFloats,
]);

function reading<T>(body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw new Misuse(
      `this is not YAML: ${cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''}`,
      'bad-yaml',
    );
  }
}

/** One document. *errors*: Misuse. */
export function fromYaml(text: string): unknown {
  return reading(() => (text.trim() === '' ? null : load(text, {schema})));
}

/** All documents. *errors*: Misuse. */
export function fromYamlAll(text: string): unknown[] {
  return reading(() => loadAll(text, {schema}));
}
