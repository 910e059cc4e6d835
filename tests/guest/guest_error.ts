/** Stage at which the guest failed. */
export type GuestStage =
  /** This machine cannot run the guest. */
  | "host"
  /** The kernel and its initramfs could not be made. */
  | "prepare"
  /** The guest ended before it could start the command. */
  | "boot"
  /** The guest ended while the command ran. */
  | "run";

/** The guest failed, which says nothing about the command it was to run. */
export class GuestError extends Error {
  /** The class, for programs that cannot use instanceof. */
  override readonly name = "GuestError";

  /**
   * Says what happened, and shows the console.
   *
   * @param stage what failed
   * @param message what happened, for the user
   * @param console the last of what the guest's kernel and QEMU said; empty if neither was started
   * @param options the error that caused this one, if any
   */
  constructor(readonly stage: GuestStage, message: string, readonly console = "", options?: ErrorOptions) {
    super(console === "" ? message : `${message}; its console:\n${console.trimEnd()}`, options);
  }
}
