/** `file:line:column` taken apart; line and column are 1 where they are missing. */
export function partsOfPlace(at: string): {file: string; line: number; column: number} {
  const match = /^(.*?)(?::(\d+))?(?::(\d+))?$/s.exec(at);
  return {
    file: match?.[1] ?? at,
    line: Math.max(1, Number(match?.[2] ?? 1)),
    column: Math.max(1, Number(match?.[3] ?? 1)),
  };
}
