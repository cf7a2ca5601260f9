import type { Connect } from "../../src/core/events/connection.ts";
import type { LoginFailed } from "../../src/core/events/login.ts";
import type { DataCommand, EndOfMessage, Recipient } from "../../src/core/events/mail.ts";
import type { Ip } from "../../src/core/net/ip.ts";
import { MAIL, STRANGER } from "./samples.ts";

export const connect = (from: Ip = STRANGER): Connect => ({
  type: "CONNECT",
  ip: from,
  service: "smtp",
  session: `${from} 40000 25 192.0.2.1`,
  clientName: null,
});
export const mail = (from: Ip = STRANGER, account: string | null = null): DataCommand => ({
  ...MAIL,
  ...connect(from),
  type: "DATA",
  service: account === null ? "smtp" : "submission",
  recipient: "alice@example.test",
  account,
  queueId: "4ABC",
  recipientCount: 1,
});
export const recipient = (): Recipient => ({ ...mail(), type: "RECIPIENT", blockListing: null, senderExists: true });
export const message = (): EndOfMessage => ({ ...mail(), type: "END_OF_MESSAGE", sizeBytes: 100 });
export const guess = (password: string, from: Ip = STRANGER): LoginFailed => ({
  type: "LOGIN_FAILED",
  ip: from,
  service: "imap",
  login: "alice@example.test",
  passwordHash: password,
});
