/** Loads a module of the built program: what is measured is what is shipped. */
export function fromBuild(path) {
  return import(new URL(`../../dist/${path}`, import.meta.url));
}

/** The built program's entry file. */
export const programPath = new URL('../../dist/main.js', import.meta.url).pathname;
