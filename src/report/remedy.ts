import type {Audit, Evidence, Judgement} from './audit.ts';

/** One reason why a judgement is no pass: what is wrong, and what to do about it. */
export type Complaint = {
  /** a finding's code, or `differs`, `failed`, `refused`, `unknown`, `not-reached` */
  readonly code: string;
  readonly message: string;
  readonly help: string | undefined;
  readonly at: string;
};

/** Why a judgement is no pass; empty for a pass and for what is not applicable. Messages have no secrets, but hosts' raw text. */
export function complaintsOf(judgement: Judgement, audit: Audit): readonly Complaint[] {
  if (judgement.verdict === 'pass' || judgement.verdict === 'not-applicable') return [];
  if (judgement.evidence.length === 0) {
    const unreachable = audit.hosts[judgement.host]?.unreachable;
    return [
      {
        code: 'not-reached',
        message:
          unreachable === undefined
            ? 'not judged: the run ended on this host before this task'
            : `not judged: the host was unreachable: ${unreachable.message}`,
        help: unreachable?.help,
        at: judgement.rule.at,
      },
    ];
  }
  const {waiver} = judgement;
  const expired: readonly Complaint[] =
    waiver?.expired !== true || judgement.verdict !== 'fail'
      ? []
      : [
          {
            code: 'waiver-expired',
            message: `the waiver of ${waiver.owner} expired on ${waiver.expires} (${waiver.reason})`,
            help: 'mend what it is about, or agree on a new date',
            at: waiver.at,
          },
        ];
  return [...judgement.evidence.flatMap((evidence) => complaints(evidence, audit)), ...expired];
}

function complaints(evidence: Evidence, audit: Audit): readonly Complaint[] {
  if (evidence.verdict === 'pass' || evidence.verdict === 'not-applicable') return [];
  const {at} = evidence;
  const item = evidence.item === undefined ? '' : ` [${evidence.item}]`;
  const found = evidence.findings
    .filter((f) => f.severity === 'error')
    .map((f): Complaint => ({code: f.code, message: f.message + item, help: f.help ?? evidence.help, at}));
  switch (evidence.status) {
    case 'changed':
      if (evidence.diff === '' && found.length > 0) return found;
      return [
        ...found,
        ...(audit.run.mode === 'run' || audit.run.mode === 'apply'
          ? []
          : [
              {
                code: 'differs',
                message: `${evidence.task}${item}: ${evidence.message ?? 'not as declared'}`,
                help:
                  evidence.help ??
                  `converge with: tsplay run ${audit.run.playbooks.join(' ')}, or correct the declaration`,
                at,
              },
            ]),
      ];
    case 'failed':
    case 'ignored':
    case 'refused': {
      const code = evidence.status === 'refused' ? (found[0]?.code ?? 'refused') : 'failed';
      const message = evidence.message ?? found[0]?.message ?? evidence.status;
      return [{code, message: `${evidence.task}${item}: ${message}`, help: evidence.help ?? found[0]?.help, at}];
    }
    case 'unknown':
      return [
        ...found,
        {
          code: 'unknown',
          message: `${evidence.task}${item}: ${evidence.message ?? 'known only when it is applied'}`,
          help: evidence.help,
          at,
        },
      ];
    case 'ok':
    case 'skipped':
      return found;
  }
}
