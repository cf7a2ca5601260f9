import { type CliCommand, EXIT_MEANINGS } from "../call.ts";
import { sectionsOf } from "../help.ts";
import { GLOBAL_OPTIONS, type Option } from "../parse.ts";

/** The page ghostinbox(8) in the macros of man(7): every command with its options. `date`: that of the version, such as 2026-11-20. */
export function manPage(commands: readonly CliCommand[], version: string, date: string): string {
  return [
    `.TH GHOSTINBOX 8 "${date}" "GhostInbox ${version}" "System Administration"`,
    // Turns hyphenation off, because readers copy commands.
    ".nh",
    ".ad l",
    ".SH NAME",
    "ghostinbox \\- a hardened mail server and the engine that guards it",
    ".SH SYNOPSIS",
    ".B ghostinbox",
    ".I COMMAND",
    "[\\fIOPTION\\fR...]",
    ".SH DESCRIPTION",
    ".B ghostinbox",
    text("is the command line of the mail server. Most commands ask the running guard and require root."),
    ".SH OPTIONS",
    text("Every command accepts these."),
    ...GLOBAL_OPTIONS.flatMap(optionLines),
    ".SH COMMANDS",
    ...sectionsOf(commands).flatMap(({ heading, commands: within }) => [
      `.SS "${escaped(heading)}"`,
      ...within.flatMap(commandLines),
    ]),
    '.SH "EXIT STATUS"',
    ...EXIT_MEANINGS.flatMap(([code, says]) => [".TP", `.B ${code}`, text(says)]),
    ".SH FILES",
    ".TP",
    ".I /var/lib/ghostinbox",
    text("The data directory: mail, accounts, settings, backups. GHOSTINBOX_DATA names another one."),
    ".TP",
    ".I /var/lib/ghostinbox/ghostinbox.toml",
    text("The settings; `ghostinbox config reference` explains every setting."),
    '.SH "SEE ALSO"',
    ".BR postfix (1),",
    ".BR dovecot (1),",
    ".BR fail2ban (1),",
    ".BR systemctl (1)",
    "",
  ].join("\n");
}

function commandLines({ name, usage, says, options }: CliCommand): readonly string[] {
  const places = usage === "" ? "" : ` \\fI${escaped(usage)}\\fR`;
  const indented = options.length === 0 ? [] : [".RS", ...options.flatMap(optionLines), ".RE"];
  return [".TP", `\\fB${escaped(name)}\\fR${places}`, text(says), ...indented];
}

function optionLines({ name, short, value, says }: Option): readonly string[] {
  const shown = short === undefined ? "" : `\\fB${escaped(`-${short}`)}\\fR, `;
  const taken = value === undefined ? "" : ` \\fI${escaped(value)}\\fR`;
  return [".TP", `${shown}\\fB${escaped(`--${name}`)}\\fR${taken}`, text(says)];
}

/** A line of text, escaped if it starts like a macro. */
function text(words: string): string {
  return `\\&${escaped(words)}`;
}

function escaped(words: string): string {
  return words
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replace(
      /[^\0-\x7f]/g,
      (character) => `\\[u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
    );
}
