// A real browser at the gateway's pages: node chromium.mjs URL STOP DECISION FOLDER. It opens URL, presses Allow or Deny on the
// consent page, and says where it would have left for the client (STOP), what the page's policy stopped, and how the page looks
// on a phone and a desk, light and dark (FOLDER).
import {chromium} from 'playwright-core';

const [url, stop, decision, folder] = process.argv.slice(2);
const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox']});
const context = await browser.newContext({viewport: {width: 375, height: 700}, javaScriptEnabled: true});
const page = await context.newPage();
const complaints = [];
page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()); });
page.on('pageerror', error => complaints.push(String(error)));
let back;
// What leaves for the client is seen as the browser asks for it: nobody listens there, and a private scheme has no server at all.
page.on('request', request => { if (request.url().startsWith(stop)) back ??= request.url(); });
const session = await context.newCDPSession(page);
await session.send('Page.enable');
session.on('Page.frameRequestedNavigation', event => { if (event.url.startsWith(stop)) back ??= event.url; });
session.on('Page.frameScheduledNavigation', event => { if (event.url.startsWith(stop)) back ??= event.url; });
session.on('Network.requestWillBeSent', event => { if (event.request.url.startsWith(stop)) back ??= event.request.url; });
session.on('Network.responseReceivedExtraInfo', event => {
  const location = Object.entries(event.headers).find(([name]) => name.toLowerCase() === 'location')?.[1];
  if (location?.startsWith(stop)) back ??= location;
});
await session.send('Network.enable');

const answer = await page.goto(url);
const shots = [];
for (const [width, scheme] of [[375, 'light'], [375, 'dark'], [1280, 'light'], [1280, 'dark']]) {
  await page.setViewportSize({width, height: 800});
  await page.emulateMedia({colorScheme: scheme});
  if (folder) await page.screenshot({path: `${folder}/consent-${width}-${scheme}.png`, fullPage: true});
  shots.push(await page.evaluate(() => ({wide: document.documentElement.scrollWidth > innerWidth, background: getComputedStyle(document.body).backgroundColor})));
}
const title = await page.title();
const text = await page.locator('body').innerText();
const focusable = [];
for (let i = 0; i < 4; i++) {
  await page.keyboard.press('Tab');
  focusable.push(await page.evaluate(() => document.activeElement?.innerText?.trim() ?? ''));
}
await page.getByRole('button', {name: decision, exact: true}).click({noWaitAfter: true});
for (let i = 0; i < 100 && !back; i++) await page.waitForTimeout(50);
const cookies = (await context.cookies()).map(({name, httpOnly, sameSite, secure, path}) => ({name, httpOnly, sameSite, secure, path}));
console.log(JSON.stringify({status: answer.status(), headers: answer.headers(), title, text, shots, focusable, back: back ?? '', at: page.url(), complaints, cookies}));
await browser.close();
