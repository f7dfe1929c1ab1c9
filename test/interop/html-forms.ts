/** A form of a page that a user would fill in and submit. */
export interface HtmlForm {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x27': "'",
};
const decode = (text: string): string =>
  text.replace(/&([#\w]+);/g, (whole, name: string) => entities[name] ?? whole);
const attribute = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\s${name}=(?:"([^"]*)"|'([^']*)')`, 'i').exec(tag);
  return value === null ? undefined : decode(value[1] ?? value[2] ?? '');
};

/** The first form of a page with its named inputs; throws for a page without one. */
export function firstForm(html: string): HtmlForm {
  const [form] = /<form\b[\s\S]*?<\/form>/i.exec(html) ?? [];
  if (form === undefined) throw new Error(`the page has no form: ${html.slice(0, 500)}`);
  const inputs = (form.match(/<input\b[^>]*>/gi) ?? []).flatMap((tag) => {
    const name = attribute(tag, 'name');
    return name === undefined ? [] : [[name, attribute(tag, 'value') ?? ''] as const];
  });
  return {
    action: attribute(/<form\b[^>]*>/i.exec(form)?.[0] ?? '', 'action') ?? '',
    fields: Object.fromEntries(inputs),
  };
}

/** A browser that keeps cookies and follows redirects, and no more. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  async open(url: string, fields?: Readonly<Record<string, string>>): Promise<string> {
    let at = url;
    let sent = fields;
    for (let redirects = 0; redirects < 10; redirects += 1) {
      const response = await fetch(at, {
        method: sent === undefined ? 'GET' : 'POST',
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        redirect: 'manual',
        signal: AbortSignal.timeout(30_000),
        ...(sent === undefined ? {} : { body: new URLSearchParams(sent) }),
      });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        this.#cookies.set(name, value);
      }
      const location = response.headers.get('location');
      const text = await response.text();
      if (location === null) return text;
      at = new URL(location, at).href;
      sent = undefined;
    }
    throw new Error(`too many redirects from ${url}`);
  }
}
