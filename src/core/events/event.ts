import type { Prefix } from "../net/ip.ts";
import type { CommandAsked } from "./command.ts";
import type { Connect } from "./connection.ts";
import type { LoginAsked, LoginFailed, LoginSucceeded } from "./login.ts";
import type { Mail, Message, Recipient } from "./mail.ts";
import type { JailReported } from "./report.ts";

/** The events that the engine decides on. Each kind has its own file. */
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

/** About a network: an administrator's command, or the end of an entry or a ban. */
export type CommandEvent = Extract<Event, { readonly prefix: Prefix }>;
/** From a client. */
export type ClientEvent = Exclude<Event, CommandEvent>;
