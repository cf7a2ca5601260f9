// A separate file, because esbuild keeps every export of a package that is imported dynamically.
export { encode } from "uqr";
