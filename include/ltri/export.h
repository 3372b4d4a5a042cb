// Marks what the shared library shows.
#ifndef LTRI_EXPORT_H_
#define LTRI_EXPORT_H_

#define LTRI_API __attribute__((visibility("default")))

#endif  // LTRI_EXPORT_H_
