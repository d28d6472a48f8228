// Goes through the pages in Firefox as people do, and prints what it found as JSON.
//
// Reads a plan from standard input: {firefox, address, user, password, experiment,
// paths, widths, landing, shop}.

import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";

const plan = JSON.parse(readFileSync(0, "utf8"));
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: plan.firefox,
  headless: true,
  extraPrefsFirefox: { "intl.accept_languages": "de-DE, de" },
});

const watched = async (context) => {
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(message.text());
  });
  return { page, complaints };
};

const press = (page, selector) =>
  Promise.all([page.waitForNavigation(), page.click(selector)]);

const found = { pages: [], complaints: [] };

const look = async (page, path) => {
  for (const width of plan.widths) {
    await page.setViewport({ width, height: 800 });
    const answer = await page.goto(plan.address + path);
    found.pages.push({
      path,
      width,
      status: answer.status(),
      language: await page.evaluate(() => document.documentElement.lang),
      heading: await page.$eval("h1", (one) => one.textContent),
      window: await page.evaluate(() => innerWidth),
      needed: await page.evaluate(() => document.documentElement.scrollWidth),
    });
  }
};

const signIn = async (page) => {
  await page.goto(`${plan.address}/login`);
  await page.type("#name", plan.user);
  await page.type("#password", plan.password);
  await press(page, "main form button");
};

const slide = async (page) => {
  await page.goto(`${plan.address}/experiments/${plan.experiment}`);
  const before = await page.$eval("#verdict", (one) => one.dataset.code);
  await page.focus("#second-weight-slider");
  await page.keyboard.press("Home");
  await page.waitForFunction(
    (code) => document.getElementById("verdict").dataset.code !== code, {}, before);
  return {
    before,
    after: await page.$eval("#verdict", (one) => one.dataset.code),
    field: await page.$eval("#second-weight", (one) => one.value),
    address: page.url(),
  };
};

const convert = async (page) => {
  await page.goto(plan.landing);
  await page.waitForFunction(() => window.abtest);
  const variant = await page.evaluate(
    (key) => window.abtest.ready().then((abtest) => abtest.variant(key)), plan.shop);
  const told = page.waitForResponse((answer) => answer.url().endsWith("/events"));
  await page.click("button");
  return {
    variant,
    status: (await told).status(),
    className: await page.evaluate(() => document.documentElement.className),
  };
};

try {
  const reader = await watched(browser.defaultBrowserContext());
  await look(reader.page, "/login");
  await signIn(reader.page);
  for (const path of plan.paths) await look(reader.page, path);
  found.slider = await slide(reader.page);
  const visitor = await watched(await browser.createBrowserContext());
  found.landing = await convert(visitor.page);
  found.complaints = [...reader.complaints, ...visitor.complaints];
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));
