// A person's browser, scripted: it keeps cookies, follows redirects, presses Allow, and returns the URL at which it would
// leave for the client.
export async function allow(start, stop) {
  const jar = new Map(); // host:port -> name -> value
  async function go(method, target, body) {
    for (let hops = 0; hops < 25; hops++) {
      if (target.startsWith(stop)) return {back: new URL(target)};
      const at = new URL(target);
      const cookies = jar.get(at.host) ?? jar.set(at.host, new Map()).get(at.host);
      const headers = {accept: 'text/html', cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ')};
      if (body) Object.assign(headers, {'content-type': 'application/x-www-form-urlencoded', origin: at.origin, 'sec-fetch-site': 'same-origin'});
      const answer = await fetch(target, {method, headers, body, redirect: 'manual'});
      for (const line of answer.headers.getSetCookie()) {
        const [pair] = line.split(';');
        const i = pair.indexOf('=');
        cookies.set(pair.slice(0, i), pair.slice(i + 1));
      }
      if (answer.status < 300 || answer.status >= 400) return {page: await answer.text(), at: target, status: answer.status};
      target = new URL(answer.headers.get('location'), target).href;
      [method, body] = ['GET', undefined];
    }
    throw new Error(`too many redirects from ${start}`);
  }
  let seen = await go('GET', start);
  if (!seen.back) {
    const action = /<form[^>]*action="([^"]*)"/.exec(seen.page)?.[1].replaceAll('&amp;', '&');
    if (action === undefined) throw new Error(`${seen.status}, and no form: ${seen.page}`);
    const fields = new URLSearchParams({decision: 'allow'});
    for (const [input] of seen.page.matchAll(/<input[^>]*>/g)) {
      const read = name => new RegExp(` ${name}="([^"]*)"`).exec(input)?.[1] ?? '';
      fields.set(read('name'), read('value'));
    }
    seen = await go('POST', new URL(action, seen.at).href, fields.toString());
  }
  if (!seen.back) throw new Error(`${seen.status}, and no way back: ${seen.page}`);
  return seen.back;
}
