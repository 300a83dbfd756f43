/** The reply of the facts fragment, taken apart: what is there, lines of programs, and the files as `head -v` prints them. */
export class FactSource {
  /** lines in front of the first section, without those that say what is there */
  readonly lines: readonly string[];
  readonly #present = new Set<string>();
  readonly #sections = new Map<string, readonly string[]>();
  readonly #files = new Map<string, string>();

  constructor(text: string) {
    const cut = text.indexOf('==== files\n');
    const head = cut < 0 ? text : text.slice(0, cut);
    const [first = '', ...sections] = head.split(/^==== /m);
    const rows = first.split('\n').filter((line) => line !== '');
    this.lines = rows.filter((line) => !line.startsWith('has '));
    for (const line of rows) if (line.startsWith('has ')) this.#present.add(line.slice('has '.length));
    for (const section of sections) {
      const [name = '', ...body] = section.split('\n');
      this.#sections.set(
        name,
        body.filter((line) => line !== ''),
      );
    }
    const parts = cut < 0 ? [] : text.slice(cut + '==== files'.length).split(/\n==> (\/[^\n]*) <==\n/);
    for (let i = 1; i + 1 < parts.length; i += 2) this.#files.set(parts[i]!, parts[i + 1]!);
  }

  /** Whether a landmark of the script is there. */
  has(path: string): boolean {
    return this.#present.has(path);
  }

  /** Lines of a section; none where the host lacks the program. */
  section(name: string): readonly string[] {
    return this.#sections.get(name) ?? [];
  }

  /** Text of a file; '' where it is not there or not readable. */
  file(path: string): string {
    return this.#files.get(path) ?? '';
  }

  /** Text of a file of one line, without white space around it. */
  word(path: string): string {
    return this.file(path).replaceAll('\0', '').trim();
  }

  /** All files whose paths fit, with the match. */
  files(pattern: RegExp): readonly (readonly [match: RegExpExecArray, text: string])[] {
    return [...this.#files].flatMap(([path, text]) => {
      const match = pattern.exec(path);
      return match === null ? [] : [[match, text] as const];
    });
  }
}
