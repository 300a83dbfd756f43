// The module author's API and the only barrel of the project: `#kit` inside, `tsplay/kit` for users' own modules.
export type {Json} from '../base/json.ts';
export {isMapping} from '../base/json.ts';
export type {NonEmpty} from '../base/nonempty.ts';
export {isNonEmpty} from '../base/nonempty.ts';
export {MASK, Secret, masked, reveal} from '../base/secret.ts';
export {Unknown} from '../base/unknown.ts';
export {attributeFields, compareAttributes, followed, newAttributes, type Attributes} from './attributes.ts';
export {commandResult, planCommand, probeConditions, type Conditions, type ConditionState} from './command.ts';
export {bytesOf, contentValue, hashedHostName, sha256, sha256Bytes, textOf} from './content.ts';
export {candidateCommand, planTextEdit, secretsOf, type TextEdit} from './edit-text.ts';
export type {Host, HostFacts} from './host.ts';
export {fileKey, touches, unitKey, unitName, type Key} from './key.ts';
export {octal, resolveMode} from './mode.ts';
export {defineModule, type Module, type ModuleSpec} from './module.ts';
export type {Argv, Blob, Content, Generated, GuardedOp, Mode, Op, PlainOp, RunOp, WriteOp, X509Spec} from './op.ts';
export {change, converged, refuse, refuseAll, type Change, type Plan, type Value} from './plan.ts';
export {platformOf, platforms, type Platform} from './platform.ts';
export {all, list, map, nothing, type Probe} from './probe.ts';
export type {JsonPointer, Problem} from './problem.ts';
export {
  account,
  file,
  group,
  packageState,
  read,
  stdoutText,
  unit,
  type AccountState,
  type FileState,
  type GroupState,
  type Inode,
  type PackageState,
  type Read,
  type Reply,
  type UnitState,
  type WantContent,
} from './reads.ts';
export {p, type ControllerFile, type Kind, type Param, type Params, type Rendered, type Values} from './schema.ts';
export {lines, quote, rawShell, sh, type ShellText} from './shell.ts';
export {extrasProbe, planExtras, type Extras, type ExtrasValues} from './account-extras.ts';
export {accountExists, groupExists, predictAccount, predictGroup} from './exists.ts';
export {misplaced, probePlace, type Place} from './file-place.ts';
export {fileDiff, planFile, type WantedFile} from './write-file.ts';
export {
  packageEveryRun,
  packageMistakes,
  packageParams,
  packageProbe,
  packageResult,
  planPackages,
  type PackageValues,
} from './packages.ts';
export {
  planService,
  serviceEveryRun,
  serviceMistakes,
  serviceParams,
  serviceProbe,
  serviceResult,
  type ServiceState,
  type ServiceValues,
} from './service.ts';
export {nearestName} from '../base/nearest.ts';
export {presentText, rewrite, type PresentText} from './present-text.ts';
export {parseGuests, powerCycle, runningGuests, type RunningGuest} from './running-guests.ts';
export {certificateNames, keyMatches, parseCertificate, signedBy, type Certificate} from './x509.ts';
export {homeFile, type HomeFile} from './home-file.ts';
export {allowLockoutParam, guardOps, guardParam} from './guard.ts';
export {
  nftDiff,
  nftFile,
  nftFolder,
  nftHasTable,
  nftHolds,
  nftProbe,
  type Alone,
  type NftDiff,
  type NftState,
} from './nft-store.ts';
export {deviceFrom, deviceShell, sectionsOf, type DeviceState} from './device-probe.ts';
export {guestProbe, spiceSettings, staleReasons, type GuestState, type SpiceSettings} from './libvirt.ts';
export {shutDownOp} from './guest-power.ts';
export {
  probeTimes,
  timeMistakes,
  timeParams,
  timesDiff,
  timesEveryRun,
  type FileTimes,
  type TimeValues,
} from './file-times.ts';
export {labelParams, probeLabels, withLabels, type LabelValues, type Labels} from './labels.ts';
export {lineChange, settingLine} from './line-change.ts';
export {readArchive, type ArchiveEntry, type ArchiveKind} from './archive.ts';
export {auditHost, isReachable, parseAudit, type HostAudit} from './host-audit.ts';
