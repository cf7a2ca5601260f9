/** What `api-load.ts` asks for. */
export type ApiPlan = Readonly<{
  port: number;
  token: string;
  paths: readonly string[];
  runs: number;
  warmUp: number;
  /** The requests that other clients make at the same time, without a pause. */
  beside: Readonly<{ path: string; clients: number }> | null;
}>;

/** `times`: of each answer, from before the connection to its last byte (ms). `bytes`: of the last one's body. */
export type Asked = Readonly<{ path: string; bytes: number; times: readonly number[] }>;
