/** Postfix's short and long forms (postconf(5), enable_long_queue_ids). Both end with the file's inode number, of up to 64 bits. */
export function isQueueId(text: string): boolean {
  return /^[0-9A-Za-z]{5,23}$/.test(text);
}

/** What Postfix logs for a mail without a Message-ID (cleanup(8)): such mails have nothing in common. */
export const NO_MESSAGE_ID = "<>";

/** A Message-ID without its angle brackets: users may type it either way. */
export function bareMessageId(messageId: string): string {
  return messageId.replace(/^<(.*)>$/, "$1");
}

/** Whether the guard holds a mail, for an account, whose name contains an @. `root` holds mail by hand. */
export function isGuardsHold({ heldFor }: Readonly<{ heldFor: string | null }>): boolean {
  return heldFor?.includes("@") === true;
}
