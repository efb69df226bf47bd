/** Lists of the admin API that come page by page. */

/** All pages of a list, the largest that each list has. */
export async function* pagesOf<Page extends { readonly next?: string | undefined }>(ask: (query: string) => Promise<Page>): AsyncGenerator<Page, void, void> {
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const page: Page = await ask(new URLSearchParams({ limit: '1000', ...(after === undefined ? {} : { after }) }).toString());
    yield page;
    after = page.next;
  }
}
