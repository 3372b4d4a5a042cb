#include "support/chat_model.h"

#include <gguf.h>

#include <stdexcept>
#include <string>

#include "support/temporary_folder.h"
#include "support/tiny_gguf.h"

namespace ltri::testing {
namespace {

constexpr const char* kChatMl =
    "{% for message in messages %}{{'<|begin|>' + message['role'] + '\n' + message['content'] + '<|end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|begin|>assistant\n' }}{% endif %}";

}  // namespace

std::shared_ptr<Model> ChatModel() {
  static const std::shared_ptr<Model> model = ChatModelWith("tiny-chat", kChatMl);
  return model;
}

std::shared_ptr<Model> ChatModelWith(const std::string& name, const char* chat_template) {
  static TemporaryFolder folder;
  TinyModelSpec spec = TinySpec("llama");
  spec.name = name;
  const std::string path = WriteTinyGguf(spec, folder.path(), [&](gguf_context* file) {
    gguf_set_val_str(file, "tokenizer.chat_template", chat_template);
  });
  Result<std::shared_ptr<Model>> loaded = Model::Load(path, {2});
  if (!loaded.ok()) throw std::runtime_error(loaded.error().message);
  return *loaded;
}

}  // namespace ltri::testing
