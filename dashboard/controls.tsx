import type { ComponentChildren, JSX, RefObject, TargetedMouseEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Failure } from "./api.ts";
import { attempt, byForm, notify, toasts } from "./attempt.ts";
import { LANGUAGES, type Language, language, storeLanguage, t } from "./messages.ts";
import { type Attempts, Button, Card, Field, fieldsOf, SafeText, useAttempt } from "./parts.tsx";
import { DOUBLE_CLICK_MS, pressed, type Stage } from "./press.ts";

type ConfirmButtonProps = Readonly<{
  /** Accessible name, if `text` is too short for one. */
  label?: string | undefined;
  text: string;
  confirmText: string;
  /** Class until it asks. */
  kind?: string | undefined;
  run: () => Promise<void>;
}>;

/** A button that asks before it acts. */
export function ConfirmButton({ label, text, confirmText, kind, run }: ConfirmButtonProps) {
  const [stage, setStage] = useState<Stage>("rests");
  useEffect(() => {
    const timer = stage === "asks" ? setTimeout(() => setStage("armed"), DOUBLE_CLICK_MS) : undefined;
    return () => clearTimeout(timer);
  }, [stage]);
  const press = ({ detail, currentTarget }: TargetedMouseEvent<HTMLButtonElement>): void => {
    // Safari does not focus a pressed button, which therefore could not lose the focus.
    currentTarget.focus();
    const next = pressed(stage, detail);
    if (next === stage) return;
    setStage(next);
    if (next === "runs") attempt(() => run().finally(() => setStage("rests")));
  };
  const asks = stage !== "rests";
  return (
    <Button
      text={asks ? confirmText : text}
      class={asks ? "danger" : kind}
      aria-label={asks ? confirmText : label}
      aria-disabled={stage === "asks" || stage === "runs"}
      onClick={press}
      onBlur={() => setStage((last) => (last === "runs" ? last : "rests"))}
    />
  );
}

export function ConfirmRemove({ name, run }: Readonly<{ name: string; run: () => Promise<void> }>) {
  return <ConfirmButton label={t.removeOf(name)} text={t.remove} confirmText={t.surelyRemove(name)} run={run} />;
}

type ActionProps = Readonly<{
  text: string;
  label?: string;
  kind?: string;
  /** Has nothing left to do, but keeps the focus. */
  isOff?: boolean;
  /** Shared with other buttons that must not run at the same time. */
  busy?: Attempts | undefined;
  run: () => Promise<void>;
}>;

/** A button that acts at once. Ignores presses while it runs, and the second half of a double click, because its name may have changed. */
export function ActionButton({ text, label, kind, isOff = false, busy, run }: ActionProps) {
  const { isBusy, attempt: attemptOne } = useAttempt(busy);
  const press = ({ detail }: MouseEvent): void => {
    if (!isOff && detail <= 1) attemptOne(run);
  };
  return <Button text={text} class={kind} aria-label={label} aria-disabled={isBusy || isOff} onClick={press} />;
}

export function RemoveButton({ name, ...act }: Readonly<{ name: string }> & Pick<ActionProps, "busy" | "run">) {
  return <ActionButton text={t.remove} label={t.removeOf(name)} {...act} />;
}

type FormProps = Readonly<{
  label: string;
  /** Without the primary colour, because the page has several equally important forms. */
  isPlain?: boolean;
  /** Shared with buttons beside the form that must not run at the same time. */
  busy?: Attempts;
  /** Empties the fields once they are submitted. */
  clears?: boolean;
  submit: (fields: Readonly<Record<string, string>>, form: HTMLFormElement) => Promise<void>;
  close?: () => void;
  others?: ComponentChildren;
  formRef?: RefObject<HTMLFormElement | null>;
  onInput?: () => void;
  role?: "search";
  children: ComponentChildren;
}>;

const intoView = (shown: Element | null): void => shown?.scrollIntoView({ block: "nearest" });

/**
 * Fields with a submit button, other buttons and one that closes the form unsent. Ignores a second submit while the first runs, and
 * shows why one failed until the next.
 */
export function Form(props: FormProps) {
  const { label, isPlain = false, clears = false, submit, close, others, formRef = null, children } = props;
  const { isBusy, attempt: attemptOne } = useAttempt(props.busy);
  const [refusal, setRefusal] = useState<Failure | null>(null);
  const send = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    setRefusal(null);
    const run = async (): Promise<void> => {
      await submit(fieldsOf(form), form);
      if (clears) form.reset();
    };
    attemptOne(run, byForm(form, setRefusal));
  };
  return (
    <form ref={formRef} class="fields" onSubmit={send} onInput={props.onInput} role={props.role}>
      {children}
      <div class="buttons">
        <button class={isPlain ? undefined : "primary"} type="submit" aria-disabled={isBusy}>
          {label}
        </button>
        {others}
        {close !== undefined && <Button text={t.cancel} onClick={close} />}
      </div>
      {/* With this key, a repeated refusal is announced again. */}
      {refusal !== null && (
        <p key={refusal} ref={intoView} class="error" role="alert">
          <SafeText {...refusal} />
        </p>
      )}
    </form>
  );
}

type ChoiceProps = Readonly<{
  label: string;
  choices: readonly (readonly [value: string, text: string])[];
  /** The choice of a fresh form; by default the first. */
  chosen?: string;
}> &
  JSX.IntrinsicElements["select"];

export function Choice({ label, choices, chosen, ...select }: ChoiceProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <select {...select}>
        {choices.map(([value, text]) => (
          <option
            key={value}
            value={value}
            selected={value === chosen}
            // Preact sets the property, but a reset of the form restores the attribute.
            ref={(option) => void option?.toggleAttribute("selected", value === chosen)}
          >
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A field that no browser fills with a stored password. */
export function NewPassword(props: Pick<Parameters<typeof Field>[0], "label" | "required" | "onBlur">) {
  return <Field name="password" type="password" maxLength={512} autocomplete="new-password" {...props} />;
}

type PagerButtonsProps = Readonly<{
  first: (() => void) | null;
  next: (() => void) | null;
  /** Label of the button to the next page. */
  nextLabel?: string | undefined;
  children?: ComponentChildren;
}>;

/** Below a list: to its next page, and back to the first. */
export function PagerButtons({ first, next, nextLabel = t.nextPage, children }: PagerButtonsProps) {
  return (
    <div class="bar">
      {children}
      <span class="spacer" />
      {first !== null && <Button text={t.firstPage} onClick={first} />}
      {next !== null && <Button text={nextLabel} onClick={next} />}
    </div>
  );
}

export function LanguageCard() {
  return (
    <Card title={t.thisPage}>
      <label class="field narrow">
        <span>{t.language}</span>
        <select onChange={({ currentTarget }) => switchLanguage(currentTarget.value === "de" ? "de" : "en")}>
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code} selected={code === language}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </Card>
  );
}

/** Reloads the page in this language, unless the reader would lose typed text, a secret not yet copied, or an undo. */
function switchLanguage(wanted: Language): void {
  storeLanguage(wanted);
  if (wanted === language) return;
  const canUndo = toasts.peek().some(({ undo }) => undo !== null);
  const fields = "main :is(input, textarea):not([hidden])";
  const all = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(fields)];
  if (canUndo || all.some(({ value, defaultValue }) => value !== defaultValue)) notify(t.languageLater);
  else location.reload();
}

/** For how long, as the field `for` of a form. */
export function DurationField() {
  return <Choice label={t.duration.label} name="for" choices={Object.entries(t.duration.choices)} />;
}
