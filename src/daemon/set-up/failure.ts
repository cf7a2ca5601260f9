/** The start ends here. The message is one sentence for the person who typed the command. */
export class SetUpFailure extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "SetUpFailure";
  }
}
