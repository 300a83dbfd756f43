/**
 * A module broke its contract: one of its functions threw, or gave what none may give. It concerns the task and the host where it happened;
 * everything else goes on. `help` says whose mistake it is.
 */
export class ModuleFault extends Error {
  override readonly name = 'ModuleFault';
  readonly help: string;

  constructor(message: string, help: string) {
    super(message);
    this.help = help;
  }
}
