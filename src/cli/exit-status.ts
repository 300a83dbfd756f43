/** Exit statuses of cli.md. */
export const exitStatus = {ok: 0, nothingAttempted: 1, hostFailed: 2, interrupted: 130, fault: 70} as const;
