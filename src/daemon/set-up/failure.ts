/** Ends the start. The message is one sentence for the person who typed the command. */
export class SetUpFailure extends Error {
  readonly exitCode: number;

  constructor(sentence: string, exitCode = 1) {
    super(sentence);
    this.name = "SetUpFailure";
    this.exitCode = exitCode;
  }
}
