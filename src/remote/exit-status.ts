/**
 * Exit statuses of the fragments that carry out ops, apart from each other and from those of usual programs, so that a failure is known by
 * its kind. *source*: the numbers follow sysexits(3) where it has a fitting one.
 */
export const exitStatus = {
  /** `validate` did not accept the candidate; the file is as it was */
  invalid: 65,
  /** the parent directory, or the thing itself, is not there */
  missing: 66,
  /** writing failed: disk full, read-only, quota */
  notWritten: 74,
  /** something has changed since the plan was made (`sees`) */
  moved: 75,
  /** would be unsafe: a symbolic link on the way, a system directory, a mount point */
  unsafe: 77,
  /** another run holds the lock of this host, or has taken it over */
  locked: 79,
  /** the other side of a race was faster: the guard has already expired */
  expired: 80,
} as const;
