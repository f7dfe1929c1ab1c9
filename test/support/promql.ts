import { parser } from '@prometheus-io/lezer-promql';

/** What an expression of PromQL asks for. */
export interface QueryFacts {
  /** The selected metrics by name, each with the labels that its matchers name. */
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  /** The labels that are grouped by or matched on. */
  readonly grouping: readonly string[];
}

/** Reads an expression of PromQL. @throws Error where it is not one */
export function readQuery(expression: string): QueryFacts {
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  let isMatcher = false;
  parser.parse(expression).iterate({
    enter: ({ name, type, from, to }) => {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at ${from}: ${expression}`);
      if (name === 'VectorSelector') selectors.push({ metric: '', labels: [] });
      if (name === 'LabelMatchers') isMatcher = true;
      const selector = selectors.at(-1);
      if (name === 'Identifier' && selector?.metric === '') selector.metric = text;
      if (name === 'LabelName' && isMatcher) selector?.labels.push(text);
      if (name === 'LabelName' && !isMatcher) grouping.push(text);
    },
    leave: ({ name }) => {
      if (name === 'LabelMatchers') isMatcher = false;
    },
  });
  return { selectors, grouping };
}
