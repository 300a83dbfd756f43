export async function scheduleExport(
  form: string,
  name: string | undefined,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  await Promise.resolve();
  void form;
  void name;
  void options;
}
