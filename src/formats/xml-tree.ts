/*
 * XML with places: a document as a tree of elements that know where they stand in the text, so that an edit replaces exactly what it means and
 * every other byte, down to quotes, order and blanks, stays as it was. A serialiser could not promise that.
 * xmldom judges whether the text is well-formed and decodes it; a scan of the markup finds the places, element by element in document order.
 */
import {DOMParser, ParseError} from '@xmldom/xmldom';
import type {Element as DomElement} from '@xmldom/xmldom';
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';

/** An attribute as written. *units*: UTF-16 offsets into the document; `start` is at the name, `end` behind the closing quote. */
export type XmlAttribute = {
  readonly name: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
  readonly valueStart: number;
  readonly valueEnd: number;
};

/** An element with its places. `name` is as written, prefix included. `text` is its own text, decoded, without that of its children. */
export type XmlElement = {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  readonly parent: XmlElement | undefined;
  readonly text: string;
  readonly start: number;
  /** behind the `>` of the opening tag */ readonly openEnd: number;
  /** before the `<` of the closing tag; of an empty element, `openEnd` */ readonly closeStart: number;
  readonly end: number;
  readonly selfClosed: boolean;
};

type Place = Pick<XmlElement, 'start' | 'openEnd' | 'closeStart' | 'end' | 'selfClosed'> & {
  attributes: Omit<XmlAttribute, 'value'>[];
};

/** The root element of a document. *errors*: xml-malformed, also for documents with a DOCTYPE (they could name files and expand without end). */
export function parseXml(text: string): Result<XmlElement> {
  const fail = (message: string): Result<XmlElement> => bad(error('xml-malformed', `not well-formed XML: ${message}`));
  let dom: DomElement | null;
  try {
    if (/<!DOCTYPE/i.test(withoutComments(text))) return fail('a DOCTYPE is not accepted');
    const parser = new DOMParser({
      onError: (_level, message) => {
        throw new ParseError(message);
      },
    });
    dom = parser.parseFromString(text, 'text/xml').documentElement;
  } catch (problem) {
    if (!(problem instanceof Error)) throw problem;
    return fail((problem.message.split('\n')[0] ?? '').replace(/\.$/, ''));
  }
  if (dom === null) return fail('there is no element');
  const places = scan(text);
  let next = 0;
  const build = (element: DomElement, parent: XmlElement | undefined): XmlElement => {
    const place = places[next++];
    if (place === undefined) throw new Error('the scan found fewer elements than the parser');
    const children: XmlElement[] = [];
    const built: XmlElement & {text: string} = {
      ...place,
      name: element.tagName,
      namespace: element.namespaceURI ?? undefined,
      attributes: place.attributes.map((one) => ({...one, value: element.getAttribute(one.name) ?? ''})),
      children,
      parent,
      text: '',
    };
    for (let child = element.firstChild; child !== null; child = child.nextSibling) {
      if (child.nodeType === 1) children.push(build(child as DomElement, built));
      else if (child.nodeType === 3 || child.nodeType === 4) built.text += child.nodeValue ?? '';
    }
    return built;
  };
  return ok(build(dom, undefined));
}

function withoutComments(text: string): string {
  return text.replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>/g, '');
}

// Only for texts that the parser has accepted: comments, CDATA and processing instructions are skipped, quotes may hold `>`.
function scan(text: string): Place[] {
  const markup = /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/[^>]*>|<(?:[^>"']|"[^"]*"|'[^']*')*>/g;
  const places: Place[] = [];
  const open: number[] = [];
  for (const {0: tag, index: start} of text.matchAll(markup)) {
    const end = start + tag.length;
    if (tag.startsWith('<!') || tag.startsWith('<?')) continue;
    if (tag.startsWith('</')) {
      const at = open.pop() ?? 0;
      const place = places[at];
      if (place !== undefined) places[at] = {...place, closeStart: start, end};
      continue;
    }
    const selfClosed = tag.endsWith('/>');
    const attributes = [...tag.matchAll(/([^\s=<>"'/]+)\s*=\s*("[^"]*"|'[^']*')/g)].map((found) => {
      const name = found[1] ?? '';
      const quoted = found[2] ?? '';
      const last = start + found.index + found[0].length;
      return {name, start: start + found.index, end: last, valueStart: last - quoted.length + 1, valueEnd: last - 1};
    });
    places.push({start, openEnd: end, closeStart: end, end, selfClosed, attributes});
    if (!selfClosed) open.push(places.length - 1);
  }
  return places;
}

/** The value of an attribute, decoded. */
export function attribute(element: XmlElement | undefined, name: string): string | undefined {
  return element?.attributes.find((one) => one.name === name)?.value;
}

/** The first child of that name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((one) => one.name === name);
}

/** All children of that name. */
export function children(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((one) => one.name === name) ?? [];
}

/** The element and all below it, in document order. */
export function* walk(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const below of element.children) yield* walk(below);
}
