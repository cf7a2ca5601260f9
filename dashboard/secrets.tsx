import { useEffect, useRef } from "preact/hooks";
import { notify } from "./attempt.ts";
import { t } from "./messages.ts";
import { Button, useProgram, Waiting } from "./parts.tsx";

/** Puts the text on the clipboard. `what`: its name for screen readers. */
export function Copy({ text, what }: Readonly<{ text: string; what: string }>) {
  return <Button text={t.copy.copy} aria-label={t.copy.copyOf(what)} onClick={() => void copy(text)} />;
}

/** Browsers offer a clipboard only to pages over HTTPS or from this machine. */
async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(t.copy.copied);
  } catch {
    notify(t.copy.byHand, { tone: "bad" });
  }
}

type Props = Readonly<{ message: string; label: string; secret: string; close: () => void }>;

export function Secret({ message, label, secret, close }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, [secret]);
  return (
    <div class="preview" role="status">
      <p>{message}</p>
      <label class="field secret">
        <span>{label}</span>
        <input ref={field} readOnly value={secret} spellcheck={false} autocomplete="off" />
      </label>
      <div class="buttons">
        <Copy text={secret} what={label} />
        <Button text={t.saved} onClick={close} />
      </div>
    </div>
  );
}

/** Light modules on each side, which readers need (ISO/IEC 18004, 6.3.8). */
const QUIET_ZONE = 4;

/** Shows the text as a QR code, dark on light in each colour scheme. The encoder is loaded when the first code is shown. */
export function QrCode({ text, title }: Readonly<{ text: string; title: string }>) {
  const encoder = useProgram(() => import("./qr.ts"));
  if (encoder.data === null) return <Waiting {...encoder} />;
  const code = encoder.data.encode(text, { ecc: "M", border: QUIET_ZONE });
  const path = code.data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg
      class="qr"
      role="img"
      aria-label={title}
      viewBox={`0 0 ${code.size} ${code.size}`}
      shape-rendering="crispEdges"
    >
      <rect width={code.size} height={code.size} fill="white" />
      <path d={path} />
    </svg>
  );
}
