// The catalogue's schema, word for word as SQLite keeps it.
#ifndef LTRI_LIBRARY_CATALOGUE_SCHEMA_H_
#define LTRI_LIBRARY_CATALOGUE_SCHEMA_H_

namespace ltri {

inline constexpr int kCatalogueApplication = 0x4C545249;  // "LTRI"
inline constexpr int kCatalogueVersion = 1;

inline constexpr const char* kCatalogueTables[] = {
    "CREATE TABLE documents(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE, "
    "fingerprint TEXT NOT NULL, model TEXT NOT NULL, method TEXT NOT NULL, sinks INTEGER NOT NULL, "
    "window INTEGER NOT NULL, budget INTEGER NOT NULL, block INTEGER NOT NULL, plain INTEGER NOT NULL, "
    "created INTEGER NOT NULL, updated INTEGER NOT NULL, tokens INTEGER NOT NULL, bytes INTEGER NOT NULL, "
    "generation INTEGER NOT NULL, finished INTEGER NOT NULL) STRICT",
    "CREATE TABLE segments(document INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE, "
    "number INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(document, number)) STRICT, WITHOUT ROWID",
    "CREATE TABLE sources(document INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE, "
    "number INTEGER NOT NULL, path TEXT NOT NULL, skipped INTEGER NOT NULL, bytes INTEGER NOT NULL, "
    "checksum INTEGER NOT NULL, text_begin INTEGER NOT NULL, PRIMARY KEY(document, number)) STRICT, WITHOUT ROWID",
    "CREATE TABLE spans(document INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE, "
    "layer INTEGER NOT NULL, token_begin INTEGER NOT NULL, token_end INTEGER NOT NULL, byte_begin INTEGER NOT NULL, "
    "byte_end INTEGER NOT NULL, score REAL NOT NULL, confidence REAL NOT NULL, "
    "PRIMARY KEY(document, layer, token_begin)) STRICT, WITHOUT ROWID",
    "CREATE TABLE texts(document INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE, "
    "token_begin INTEGER NOT NULL, token_end INTEGER NOT NULL, byte_begin INTEGER NOT NULL, "
    "byte_end INTEGER NOT NULL, address INTEGER NOT NULL, bytes INTEGER NOT NULL, "
    "PRIMARY KEY(document, byte_begin)) STRICT, WITHOUT ROWID",
};

}  // namespace ltri

#endif  // LTRI_LIBRARY_CATALOGUE_SCHEMA_H_
