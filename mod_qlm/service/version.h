/* The version of mod_qlm, in the two forms it is shown. */
#ifndef QLM_SERVICE_VERSION_H
#define QLM_SERVICE_VERSION_H

#define QLM_VERSION   "0.1.0"
#define QLM_VERSION_4 "0.1.0.0" /**< the four-part form that clients of PingHttp compare */

#endif
