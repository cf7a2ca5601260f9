import type { Prefix } from "../net/ip.ts";
import type { CommandAsked } from "./command.ts";
import type { Connect } from "./connection.ts";
import type { LoginAsked, LoginFailed, LoginSucceeded } from "./login.ts";
import type { Mail, Message, Recipient } from "./mail.ts";
import type { JailReported } from "./report.ts";

/** What the engine decides. Each kind has a file of its own, which says all there is to know of it. */
export type Event =
  | Connect
  | Recipient
  | Mail
  | Message
  | LoginAsked
  | LoginSucceeded
  | LoginFailed
  | JailReported
  | CommandAsked;

/** About a network: an administrator's command, or the end of what one, or a ban, set a time to. */
export type CommandEvent = Extract<Event, { readonly prefix: Prefix }>;
/** Of a client. */
export type ClientEvent = Exclude<Event, CommandEvent>;
