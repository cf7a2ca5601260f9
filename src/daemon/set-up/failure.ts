/** Start-up ends here. The message is one sentence for whoever typed the command. */
export class SetUpFailure extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "SetUpFailure";
  }
}
