// LTRI_API marks what the shared library shows: classes, and functions that are not inline.
#ifndef LTRI_EXPORT_H_
#define LTRI_EXPORT_H_

#if defined(__GNUC__)
#define LTRI_API __attribute__((visibility("default")))
#else
#define LTRI_API
#endif

#endif  // LTRI_EXPORT_H_
