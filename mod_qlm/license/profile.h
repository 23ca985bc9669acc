/* The one XML signature profile that is written and accepted. For signature.c and verify.c only. */
#ifndef QLM_LICENSE_PROFILE_H
#define QLM_LICENSE_PROFILE_H

#define QLM_DSIG_NAMESPACE "http://www.w3.org/2000/09/xmldsig#"
#define QLM_DSIG_C14N      "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define QLM_DSIG_ENVELOPED QLM_DSIG_NAMESPACE "enveloped-signature"

#define QLM_DSIG_RSA_SHA1   QLM_DSIG_NAMESPACE "rsa-sha1"
#define QLM_DSIG_SHA1       QLM_DSIG_NAMESPACE "sha1"
#define QLM_DSIG_RSA_SHA256 "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
#define QLM_DSIG_SHA256     "http://www.w3.org/2001/04/xmlenc#sha256"

#define QLM_DOCUMENT_ROOT "QuickLicenseManager"

#define QLM_RSA_MIN_BITS 1024
#define QLM_RSA_MAX_BITS 8192

#endif
