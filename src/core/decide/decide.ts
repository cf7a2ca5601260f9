import type { ClientEvent, CommandEvent, Event } from "../events/event.ts";
import { isAdministrators } from "../events/service.ts";
import type { Millis } from "../time.ts";
import { type CommandFacts, decideCommand } from "./command.ts";
import { type ConnectFacts, decideConnect } from "./connect.ts";
import type { Decision } from "./decision.ts";
import type { Facts } from "./facts.ts";
import {
  decideLoginAsked,
  decideLoginFailed,
  decideLoginSucceeded,
  type LoginQuestion,
  type SignInFacts,
} from "./login.ts";
import {
  decideMail,
  decideMessage,
  decideRecipient,
  type MailCounts,
  type MessageFacts,
  type RecipientFacts,
} from "./mail.ts";
import { decideNetwork, type NetworkQuestion } from "./neighbours.ts";
import type { Policy } from "./policy.ts";
import { decideReport, type ReportFacts } from "./report.ts";
import { HOLDS, unbanned, withoutEffect } from "./simulate.ts";
import { withoutForbiddenBan } from "./sparing.ts";

/** The facts for each type of event. */
type FactsByType = Readonly<{
  CONNECT: ConnectFacts & NetworkQuestion;
  RECIPIENT: RecipientFacts & NetworkQuestion;
  MAIL: MailCounts & NetworkQuestion;
  MESSAGE: MessageFacts & NetworkQuestion;
  LOGIN_ASKED: LoginQuestion & NetworkQuestion;
  LOGIN_SUCCEEDED: SignInFacts;
  LOGIN_FAILED: LoginQuestion & NetworkQuestion;
  JAIL_REPORTED: ReportFacts & NetworkQuestion;
}> & { readonly [T in CommandEvent["type"]]: CommandFacts };

/** The facts that an event needs. For a union of events: the facts that any of them needs. */
export type FactsFor<E extends Event> = (E extends Event ? (facts: FactsByType[E["type"]]) => void : never) extends (
  facts: infer F,
) => void
  ? F
  : never;

/** The one way from an event and its facts to a decision, for clients and commands. */
export function decide<E extends Event>(policy: Policy, facts: FactsFor<E>, event: E, now: Millis): Decision;
export function decide(policy: Policy, facts: Facts & CommandFacts, event: Event, now: Millis): Decision {
  if ("prefix" in event) return decideCommand(facts, event, now);
  return policy.simulate && !isDashboard(event)
    ? simulated(policy, facts, event, now)
    : decideAbout(policy, facts, event, now);
}

/** Decides behind a simulated ban, so that refusals by administrators' own settings still hold. */
function simulated(policy: Policy, facts: Facts, event: ClientEvent, now: Millis): Decision {
  const held = facts.ban?.simulated === true ? decideClient(policy, unbanned(facts), event, now) : null;
  if (held !== null && HOLDS.includes(held.reason)) return held;
  return withoutEffect(facts, decideAbout(policy, facts, event, now));
}

/** Its limits do not affect mail users, and a guessed password there gives away the whole server. */
function isDashboard(event: ClientEvent): boolean {
  return "login" in event && isAdministrators(event.service, event.login);
}

function decideAbout(policy: Policy, facts: Facts, event: ClientEvent, now: Millis): Decision {
  const due = decideClient(policy, facts, event, now);
  // Most decisions change nothing. They end here, without further lookups.
  if (due.changes.length === 0) return due;
  const decided = withoutForbiddenBan(facts, due, event, now);
  const around = bringsNoBan(event) ? [] : decideNetwork(policy, facts, decided, now);
  return around.length === 0 ? decided : { ...decided, changes: [...decided.changes, ...around] };
}

function bringsNoBan(event: ClientEvent): boolean {
  return "withoutBan" in event && event.withoutBan;
}

function decideClient(policy: Policy, facts: Facts, event: ClientEvent, now: Millis): Decision {
  switch (event.type) {
    case "CONNECT":
      return decideConnect(policy, facts, event, now);
    case "RECIPIENT":
      return decideRecipient(policy, facts, event, now);
    case "MAIL":
      return decideMail(policy, facts, event, now);
    case "MESSAGE":
      return decideMessage(policy, facts, event, now);
    case "LOGIN_ASKED":
      return decideLoginAsked(policy, facts, event, now);
    case "LOGIN_SUCCEEDED":
      return decideLoginSucceeded(policy, facts, event);
    case "LOGIN_FAILED":
      return decideLoginFailed(policy, facts, event, now);
    case "JAIL_REPORTED":
      return decideReport(policy, facts, event, now);
  }
}
