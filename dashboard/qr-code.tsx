import { useLoaded, Waiting } from "./parts.tsx";
import { loaded } from "./programs.ts";

/** Four modules of light on each side, as readers need them (ISO/IEC 18004, 6.3.8). */
const QUIET = 4;

/** Shows the text as a QR code, dark on light in each colour scheme. The encoder is loaded when the first code is shown. */
export function QrCode({ text, title }: Readonly<{ text: string; title: string }>) {
  const { data, error, reload } = useLoaded(() => loaded(() => import("./qr.ts")), []);
  if (data === null) return <Waiting error={error} reload={reload} />;
  const code = data.encode(text, { ecc: "M", border: QUIET });
  const path = code.data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg
      class="qr"
      role="img"
      aria-label={title}
      viewBox={`0 0 ${code.size} ${code.size}`}
      shape-rendering="crispEdges"
    >
      <rect width={code.size} height={code.size} class="light" />
      <path d={path} class="dark" />
    </svg>
  );
}
