/** Messages that WebMail tests deliver: a plain one, and one whose HTML tries whatever a sender may try. */

export function plainMail(given: { readonly from: string; readonly to: string; readonly subject: string; readonly text: string }): Buffer {
  const { from, to, subject, text } = given;
  return Buffer.from(`From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${subject.replace(/\W+/g, '-')}@example.net>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`);
}

const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Every attempt names a path of its own at the tracker; only `/wanted.png` may ever be fetched, and only when asked for. */
export function hostileMail(given: { readonly to: string; readonly subject: string; readonly tracker: string }): Buffer {
  const { tracker } = given;
  const html = `<html><head>
<base href="${tracker}/base/"><link rel="stylesheet" href="${tracker}/sheet.css"><link rel="prefetch" href="${tracker}/prefetch"><link rel="dns-prefetch" href="${tracker}">
<meta http-equiv="refresh" content="0;url=${tracker}/refresh">
<style>@import url("${tracker}/import.css"); body{background:url(${tracker}/css-background.png)} @font-face{font-family:x;src:url(${tracker}/font.woff)} p{font-family:x} i{background:u\\72l(${tracker}/escaped.png)}</style>
<style>p{color:#123} <\\/style><img src=1 onerror=alert('style-escape')> </*x*//style><img src=1 onerror=alert('style-comment')></style>
<script>fetch('${tracker}/script'); alert('script')</script></head>
<body background="${tracker}/body-background.png" onload="fetch('${tracker}/onload'); alert('onload')">
<p id="words">Readable words of the sender.</p>
<img src="${tracker}/wanted.png" width="40" height="40" alt="remote">
<img src="x" onerror="fetch('${tracker}/onerror'); alert('onerror')">
<img srcset="${tracker}/srcset.png 1x"><picture><source srcset="${tracker}/source.png"><img alt="inner"></picture>
<img id="own" src="cid:own@example.net" width="10" height="10" alt="own">
<svg onload="alert('svg')"><image href="${tracker}/svg.png"/><use href="${tracker}/use.svg#x"/></svg>
<p style="background-image:url('${tracker}/inline-style.png')">styled</p>
<a href="javascript:alert('link')">bad link</a> <a href="https://example.org/page">good link</a>
<form action="${tracker}/form"><input name="password" autofocus onfocus="alert('focus')"><button>go</button></form>
<iframe src="${tracker}/iframe"></iframe><object data="${tracker}/object"></object><embed src="${tracker}/embed">
<video poster="${tracker}/poster.png" src="${tracker}/video"></video><audio src="${tracker}/audio" autoplay></audio>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert('mxss')&gt;"></mglyph></table></mtext></math>
</body></html>`;
  const lines = [
    'From: Mallory <mallory@example.net>', `To: ${given.to}`, `Subject: ${given.subject}`, 'Date: Tue, 24 Nov 2026 10:00:00 +0000', 'Message-ID: <hostile@example.net>', 'MIME-Version: 1.0',
    'Content-Type: multipart/related; boundary="b"', '', '--b', 'Content-Type: text/html; charset=utf-8', '', html.replace(/\n/g, '\r\n'),
    '--b', 'Content-Type: image/png', 'Content-ID: <own@example.net>', 'Content-Transfer-Encoding: base64', '', picture, '--b--', '',
  ];
  return Buffer.from(lines.join('\r\n'));
}
