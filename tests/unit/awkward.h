/* Texts that XML, canonicalisation or careless programs stumble over. */
#ifndef QLM_TESTS_AWKWARD_H
#define QLM_TESTS_AWKWARD_H

static const char *const awkward_texts[] = {
    "",
    " ",
    "  leading and trailing  ",
    "\"double\" and 'single' quotes",
    "a < b > c & d",
    "]]>",
    "<![CDATA[x]]>",
    "<!-- no comment -->",
    "&amp; &lt; &#13; &unknown;",
    "<?xml version=\"1.0\"?><a b=\"c\">\n\t<d/>\r\n</a>",
    "carriage\rreturn",
    "dos\r\nlines\r\n",
    "line\nfeed",
    "\ttabs\tand\nfeeds\n\n",
    "\r",
    "\n",
    "\xC3\x84\xC3\x96\xC3\x9C \xC3\xA9 \xC3\xB1",
    "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E \xED\x95\x9C\xEA\xB5\xAD \xE4\xB8\xAD\xE6\x96\x87",
    "\xF0\x9F\x94\x91\xF0\x9F\x92\xBE emoji \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
    "\xC2\xA0no-break\xE2\x80\xA8line separator\xC2\x85next line",
    "e\xCC\x81 is not normalised",
    "\xEF\xBB\xBF mark of byte order",
    "\x7F delete \xC2\x80 control",
    "\x01\x02\x08\x0B\x0C\x0E\x1F forbidden",
    "\xEF\xBF\xBE\xEF\xBF\xBF no characters",
    "\xED\xA0\x80 surrogate",
    "\xF4\x8F\xBF\xBF last, \xF4\x90\x80\x80 beyond",
    "\xFF\xFE broken \xC3",
    "\xC0\xBC overlong <",
    "</QuickLicenseManager>",
    "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"></Signature>",
    "%s %n %d",
};
#define AWKWARD_TEXTS ((int)(sizeof(awkward_texts) / sizeof(awkward_texts[0])))

#endif
