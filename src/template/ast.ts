// The parsed form of templates. Every node knows its place.
import type {Range} from './fault.ts';
import type {Operator} from './number.ts';

export type Argument = {readonly name?: string; readonly spread?: '*' | '**'; readonly value: Expression};
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

export type Expression = Range &
  (
    | {readonly node: 'constant'; readonly value: unknown}
    | {readonly node: 'name'; readonly name: string}
    | {readonly node: 'list' | 'tuple' | 'concat'; readonly elements: readonly Expression[]}
    | {readonly node: 'dict'; readonly entries: readonly (readonly [Expression, Expression])[]}
    | {readonly node: 'operate'; readonly operator: Operator; readonly left: Expression; readonly right: Expression}
    | {readonly node: 'sign'; readonly operator: '-' | '+'; readonly operand: Expression}
    | {readonly node: 'not'; readonly operand: Expression}
    | {readonly node: 'and' | 'or'; readonly left: Expression; readonly right: Expression}
    | {
        readonly node: 'compare';
        readonly first: Expression;
        readonly rest: readonly {readonly operator: Comparison; readonly value: Expression}[];
      }
    | {readonly node: 'if'; readonly test: Expression; readonly yes: Expression; readonly no?: Expression}
    | {readonly node: 'attribute'; readonly object: Expression; readonly name: string; readonly nameAt: Range}
    | {readonly node: 'item'; readonly object: Expression; readonly key: Expression}
    | {
        readonly node: 'slice';
        readonly object: Expression;
        readonly from?: Expression;
        readonly to?: Expression;
        readonly step?: Expression;
      }
    | {readonly node: 'call'; readonly callee: Expression; readonly args: readonly Argument[]}
    | {
        readonly node: 'filter';
        /** undefined inside a `{% filter %}` block: the text of the block */
        readonly input?: Expression;
        readonly name: string;
        readonly nameAt: Range;
        readonly args: readonly Argument[];
      }
    | {
        readonly node: 'test';
        readonly input: Expression;
        readonly name: string;
        readonly nameAt: Range;
        readonly args: readonly Argument[];
        readonly negated: boolean;
      }
  );

/** What a loop or `set` assigns to. */
export type Target = Range &
  (
    | {readonly target: 'name'; readonly name: string}
    | {readonly target: 'tuple'; readonly parts: readonly Target[]}
    | {readonly target: 'namespace'; readonly name: string; readonly attribute: string}
  );

export type Parameter = {readonly name: string; readonly fallback?: Expression};
export type Macro = {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
  readonly usesCaller: boolean;
  readonly usesVarargs: boolean;
  readonly usesKwargs: boolean;
};

export type Statement = Range &
  (
    | {readonly node: 'text'; readonly text: string}
    | {readonly node: 'output'; readonly value: Expression}
    | {
        readonly node: 'for';
        readonly target: Target;
        readonly list: Expression;
        readonly filter?: Expression;
        readonly body: readonly Statement[];
        readonly otherwise: readonly Statement[];
        readonly recursive: boolean;
      }
    | {
        readonly node: 'choose';
        readonly branches: readonly {readonly test: Expression; readonly body: readonly Statement[]}[];
        readonly otherwise: readonly Statement[];
      }
    | {readonly node: 'set'; readonly target: Target; readonly value: Expression}
    | {
        readonly node: 'set-block';
        readonly target: Target;
        readonly filters?: Expression;
        readonly body: readonly Statement[];
      }
    | {
        readonly node: 'with';
        readonly assigns: readonly {readonly target: Target; readonly value: Expression}[];
        readonly body: readonly Statement[];
      }
    | {readonly node: 'macro'; readonly macro: Macro}
    | {readonly node: 'call-block'; readonly call: Expression; readonly caller: Macro}
    | {readonly node: 'filter-block'; readonly filters: Expression; readonly body: readonly Statement[]}
    | {
        readonly node: 'include';
        readonly template: Expression;
        readonly ignoreMissing: boolean;
        readonly withContext: boolean;
      }
    | {readonly node: 'import'; readonly template: Expression; readonly name: string; readonly withContext: boolean}
    | {
        readonly node: 'from';
        readonly template: Expression;
        readonly names: readonly {readonly name: string; readonly as: string; readonly at: Range}[];
        readonly withContext: boolean;
      }
    | {readonly node: 'do'; readonly value: Expression}
    | {readonly node: 'block'; readonly name: string; readonly body: readonly Statement[]}
    | {readonly node: 'extends'; readonly template: Expression}
    | {readonly node: 'break' | 'continue'}
  );
